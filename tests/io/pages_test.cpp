#include "io/pages.hpp"

#include <vector>

#include <weighbridge/byte_source.hpp>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/residency.hpp"
#include "io/support.hpp"

namespace weighbridge::io {
namespace {

using namespace weighbridge::test;

TEST(Pages, AreMadeWithoutChangingAByte) {
  std::vector<std::byte> memory(100'000, std::byte{3});
  make_pages(std::span(memory).subspan(5, 90'000));
  EXPECT_EQ(memory, std::vector<std::byte>(100'000, std::byte{3}));
  make_pages({});
  make_pages(std::span(memory).first(10));
}

TEST(Pages, OfAFileThatBecameShorterCannotBeBrought) {
  const TempFolder folder;
  put_file(folder / "f", pattern(10 * page_bytes()));
  const SourcePtr source = open_file(folder / "f");
  const Buffer mapped = *source->map(0, source->size());
  EXPECT_TRUE(bring_pages(mapped.bytes()));
  EXPECT_TRUE(bring_pages(mapped.bytes().subspan(100, 5000)));
  ASSERT_EQ(::truncate((folder / "f").c_str(), static_cast<off_t>(page_bytes())), 0);
  EXPECT_TRUE(bring_pages(mapped.bytes().first(100)));
  EXPECT_FALSE(bring_pages(mapped.bytes().subspan(5 * page_bytes(), 100)));
}

TEST(Residency, OfAFileThatWasJustWrittenIsWhole) {
  const TempFolder folder;
  put_file(folder / "f", pattern(40 * page_bytes()));
  const SourcePtr source = open_file(folder / "f");
  const auto share = resident_share(*source, 100, 30 * page_bytes());
  ASSERT_TRUE(share.has_value());
  EXPECT_EQ(*share, 1.0);
}

TEST(Residency, OfWhatIsNoFileIsUnknown) { EXPECT_FALSE(resident_share(*in_memory("content"), 0, 7)); }

TEST(Residency, KnowsOfSomeMemory) {
  const auto available = available_memory();
  ASSERT_TRUE(available.has_value());
  EXPECT_GT(*available, 1'000'000U);
}

}  // namespace
}  // namespace weighbridge::io
