#include <algorithm>
#include <thread>
#include <vector>

#include <weighbridge/memory_pool.hpp>

#include <gtest/gtest.h>

namespace weighbridge {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

void fill(const std::shared_ptr<std::byte>& memory, std::size_t bytes, int value) {
  std::fill_n(memory.get(), bytes, std::byte(value));
}

bool holds(const std::shared_ptr<std::byte>& memory, std::size_t bytes, int value) {
  return std::all_of(memory.get(), memory.get() + bytes,
                     [value](std::byte b) { return b == std::byte(value); });
}

TEST(MemoryPool, HandsOutWhatCameBack) {
  MemoryPool pool(4 * kMiB);
  std::shared_ptr<std::byte> memory = pool.take(2 * kMiB);
  const std::byte* address = memory.get();
  memory.reset();
  EXPECT_EQ(pool.kept(), 2 * kMiB);
  EXPECT_EQ(pool.take(2 * kMiB - 100).get(), address);
}

TEST(MemoryPool, NeverHandsOutWhatIsInUse) {
  MemoryPool pool(4 * kMiB);
  const auto first = pool.take(kMiB);
  const auto copy = first;
  fill(first, kMiB, 1);
  const auto second = pool.take(kMiB);
  fill(second, kMiB, 2);
  EXPECT_TRUE(holds(copy, kMiB, 1));
  EXPECT_EQ(pool.kept(), 0U);
}

TEST(MemoryPool, KeepsNoMoreThanItMay) {
  MemoryPool pool(3 * kMiB);
  {
    const std::vector taken = {pool.take(kMiB), pool.take(kMiB), pool.take(kMiB), pool.take(kMiB)};
    EXPECT_EQ(pool.kept(), 0U);
  }
  EXPECT_EQ(pool.kept(), 3 * kMiB);
  pool.take(4 * kMiB).reset();
  EXPECT_EQ(pool.kept(), 3 * kMiB);
  pool.take(2 * kMiB).reset();  // the two that waited longest make room
  EXPECT_EQ(pool.kept(), 3 * kMiB);
}

TEST(MemoryPool, GivesBackWhatItKeepsWhenToldTo) {
  MemoryPool pool(4 * kMiB);
  pool.take(2 * kMiB).reset();
  pool.set_keep(0);
  EXPECT_EQ(pool.kept(), 0U);
  EXPECT_EQ(pool.keep(), 0U);
  pool.take(2 * kMiB).reset();
  EXPECT_EQ(pool.kept(), 0U);
}

TEST(MemoryPool, GivesMemoryThatOutlivesIt) {
  std::shared_ptr<std::byte> memory;
  {
    MemoryPool pool(4 * kMiB);
    memory = pool.take(kMiB);
  }
  fill(memory, kMiB, 7);
  EXPECT_TRUE(holds(memory, kMiB, 7));
}

TEST(MemoryPool, AlignsForEveryElementAndLargeOnesToPages) {
  MemoryPool pool(0);
  for (const std::size_t bytes : {0UL, 1UL, 1000UL, 200'000UL}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pool.take(bytes).get()) % 64, 0U);
  }
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pool.take(kMiB + 1).get()) % 4096, 0U);
}

TEST(MemoryPool, ServesManyThreads) {
  MemoryPool pool(8 * kMiB);
  std::vector<std::jthread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&pool, number] {
      for (int round = 0; round < 50; ++round) {
        const auto memory = pool.take(kMiB / 2);
        fill(memory, kMiB / 2, number);
        EXPECT_TRUE(holds(memory, kMiB / 2, number));
      }
    });
  }
  threads.clear();
  EXPECT_LE(pool.kept(), 8 * kMiB);
}

}  // namespace
}  // namespace weighbridge
