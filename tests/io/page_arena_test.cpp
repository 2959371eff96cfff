#include "io/page_arena.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace weighbridge::io {
namespace {

constexpr std::size_t kKiB = 1024;

std::span<std::byte> take(PageArena& arena, std::size_t bytes, std::size_t alignment = 1) {
  return {static_cast<std::byte*>(arena.allocate(bytes, alignment)), bytes};
}

bool holds(std::span<const std::byte> block, std::byte value) {
  return std::ranges::all_of(block, [value](std::byte each) { return each == value; });
}

TEST(PageArena, BlocksOfAllSizesKeepWhatIsWrittenToThem) {
  PageArena arena;
  std::vector<std::span<std::byte>> blocks;
  for (std::size_t i = 0; i < 600; ++i) {  // more than two large pages
    blocks.push_back(take(arena, i * 61 % (64 * kKiB) + i % 7));
    std::ranges::fill(blocks.back(), static_cast<std::byte>(i));
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) EXPECT_TRUE(holds(blocks[i], static_cast<std::byte>(i)));
}

TEST(PageArena, BlocksAreAligned) {
  PageArena arena;
  for (std::size_t i = 0; i < 100; ++i) {
    for (const std::size_t alignment : {1U, 2U, 8U, 16U, 64U, 4096U}) {
      const auto block = take(arena, i + 1, alignment);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.data()) % alignment, 0U);
      block.back() = std::byte{1};
      arena.deallocate(block.data(), block.size(), alignment);
    }
  }
}

TEST(PageArena, TheLargestBlockFitsAChunkAndTheNextIsOnItsOwn) {
  PageArena arena;
  for (const std::size_t bytes : {64 * kKiB, 64 * kKiB + 1, 3 * 1024 * kKiB}) {
    const auto block = take(arena, bytes);
    std::ranges::fill(block, std::byte{3});
    EXPECT_TRUE(holds(block, std::byte{3}));
    arena.deallocate(block.data(), bytes, 1);
  }
}

TEST(PageArena, OneThatIsToBeFilledHasALargePageFromTheStart) {
  PageArena large(2 * 1024 * kKiB);
  const auto first = take(large, 64 * kKiB);
  for (std::size_t i = 1; i < 32; ++i) EXPECT_EQ(take(large, 64 * kKiB).data(), first.data() + i * 64 * kKiB);
  PageArena small(100 * kKiB);
  const auto alone = take(small, 64 * kKiB);
  std::ranges::fill(alone, std::byte{1});
  std::ranges::fill(take(small, 64 * kKiB), std::byte{2});
  EXPECT_TRUE(holds(alone, std::byte{1}));
}

TEST(PageArena, ThreadsGetBlocksOfTheirOwn) {
  PageArena arena;
  std::vector<std::vector<std::span<std::byte>>> blocks(4);
  {
    std::vector<std::jthread> threads;
    threads.reserve(blocks.size());
    for (std::size_t thread = 0; thread < blocks.size(); ++thread) {
      threads.emplace_back([&arena, &mine = blocks[thread], value = static_cast<std::byte>(thread)] {
        for (std::size_t i = 0; i < 200; ++i) {
          mine.push_back(take(arena, 100 + i * 37 % 9000, 8));
          std::ranges::fill(mine.back(), value);
        }
      });
    }
  }
  for (std::size_t thread = 0; thread < blocks.size(); ++thread) {
    for (const auto& block : blocks[thread]) EXPECT_TRUE(holds(block, static_cast<std::byte>(thread)));
  }
}

}  // namespace
}  // namespace weighbridge::io
