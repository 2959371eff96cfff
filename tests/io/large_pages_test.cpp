#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <vector>

#include <weighbridge/large_pages.hpp>

#include <gtest/gtest.h>

namespace weighbridge {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(LargePages, ServeBlocksOfAllSizes) {
  for (const std::size_t bytes : {std::size_t{1}, kMiB / 2 - 1, kMiB / 2, kMiB + 1, 5 * kMiB + 3}) {
    auto* const block = static_cast<unsigned char*>(large_page_memory().allocate(bytes, 8));
    std::fill_n(block, bytes, static_cast<unsigned char>(0xA5));
    EXPECT_EQ(std::count(block, block + bytes, 0xA5), static_cast<std::ptrdiff_t>(bytes));
    large_page_memory().deallocate(block, bytes, 8);
  }
}

TEST(LargePages, ServeAnyAlignment) {
  for (const std::size_t alignment : {std::size_t{64}, std::size_t{4096}, std::size_t{65536}}) {
    void* const block = large_page_memory().allocate(3 * kMiB, alignment);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0U);
    large_page_memory().deallocate(block, 3 * kMiB, alignment);
  }
}

TEST(LargePages, SayWhenThereIsNoMemory) {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  for (const std::size_t bytes : {kMost, kMost / 2}) {
    EXPECT_THROW(static_cast<void>(large_page_memory().allocate(bytes, 1)), std::bad_alloc);
  }
}

TEST(LargePages, AreOneMemoryForAll) {
  EXPECT_TRUE(large_page_memory().is_equal(large_page_memory()));
  EXPECT_FALSE(large_page_memory().is_equal(*std::pmr::new_delete_resource()));
  std::pmr::vector<int> grown(&large_page_memory());
  for (int i = 0; i < 1'000'000; ++i) grown.push_back(i);
  EXPECT_EQ(grown.back(), 999'999);
}

}  // namespace
}  // namespace weighbridge
