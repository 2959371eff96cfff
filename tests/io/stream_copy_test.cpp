#include "io/stream_copy.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "io/support.hpp"

namespace weighbridge::io {
namespace {

using namespace weighbridge::test;

// Copies to a place `shift` bytes into memory that has room for no more than a few bytes around it.
void expect_copied(std::size_t bytes, std::size_t from, std::size_t shift) {
  SCOPED_TRACE(testing::Message() << bytes << " bytes from " << from << " to " << shift);
  const std::string content = pattern(from + bytes);
  const auto source = std::as_bytes(std::span(content)).subspan(from);
  std::vector<std::byte> memory(shift + bytes + 70, std::byte{0xEE});
  stream_copy(source, memory.data() + shift);
  EXPECT_TRUE(std::ranges::equal(source, std::span(memory).subspan(shift, bytes)));
  EXPECT_EQ(std::ranges::count(std::span(memory).first(shift), std::byte{0xEE}),
            static_cast<std::ptrdiff_t>(shift));
  EXPECT_EQ(std::ranges::count(std::span(memory).subspan(shift + bytes), std::byte{0xEE}), 70);
}

TEST(StreamCopy, CopiesEveryByteAndNoOther) {
  for (const std::size_t bytes : {0U, 1U, 15U, 16U, 63U, 64U, 65U, 127U, 128U, 1000U, 100'003U}) {
    for (const std::size_t shift : {0U, 1U, 8U, 16U, 63U, 64U}) expect_copied(bytes, 0, shift);
  }
}

TEST(StreamCopy, CopiesFromAnyPlaceToAny) {
  for (std::size_t from = 0; from < 65; from += 3) {
    for (std::size_t shift = 0; shift < 65; shift += 7) expect_copied(300, from, shift);
  }
}

TEST(StreamCopy, OfNothingNeedsNoMemory) { stream_copy({}, nullptr); }

}  // namespace
}  // namespace weighbridge::io
