#include <algorithm>
#include <limits>
#include <new>
#include <thread>
#include <vector>

#include <weighbridge/memory_pool.hpp>

#include <gtest/gtest.h>
#include <sys/mman.h>

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

TEST(MemoryPool, GivesTheWholeOfALargePageForMostOfIt) {
  for (const std::size_t bytes : {2 * kMiB - 1000, 4 * kMiB - 200'000, 16 * kMiB - 1000}) {
    MemoryPool pool(64 * kMiB);
    const auto address = reinterpret_cast<std::uintptr_t>(pool.take(bytes).get());
    EXPECT_EQ(address % (2 * kMiB), 0U);
    EXPECT_EQ(pool.kept() % (2 * kMiB), 0U) << bytes;
    EXPECT_LT(pool.kept() - bytes, kMiB / 4);
  }
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

TEST(MemoryPool, LendsAllButTheLatest) {
  MemoryPool pool(8 * kMiB, 2 * kMiB);
  std::vector taken = {pool.take(kMiB), pool.take(kMiB), pool.take(kMiB), pool.take(kMiB)};
  const std::byte* latest = taken.back().get();
  for (auto& memory : taken) memory.reset();
  EXPECT_EQ(pool.kept(), 4 * kMiB);
  EXPECT_EQ(pool.lent(), 2 * kMiB);
  const auto again = pool.take(kMiB);  // what is not lent comes first
  EXPECT_EQ(again.get(), latest);
  EXPECT_EQ(pool.lent(), 2 * kMiB);
  const std::vector more = {pool.take(kMiB), pool.take(kMiB)};
  EXPECT_EQ(pool.lent(), kMiB);
  EXPECT_EQ(pool.kept(), kMiB);
}

TEST(MemoryPool, KeepsNoMoreThanItMayOfWhatIsLent) {
  MemoryPool pool(3 * kMiB, 0);
  {
    const std::vector taken = {pool.take(kMiB), pool.take(kMiB), pool.take(kMiB), pool.take(kMiB)};
  }
  EXPECT_EQ(pool.kept(), 3 * kMiB);
  EXPECT_EQ(pool.lent(), 3 * kMiB);
  pool.set_keep(kMiB);
  EXPECT_EQ(pool.lent(), kMiB);
  pool.set_keep(0);
  EXPECT_EQ(pool.kept(), 0U);
  EXPECT_EQ(pool.lent(), 0U);
}

TEST(MemoryPool, HandsOutLentMemoryThatHoldsWhatIsWrittenToIt) {
  MemoryPool pool(64 * kMiB, 0);
  const std::byte* address = nullptr;
  for (int round = 1; round < 4; ++round) {
    const auto memory = pool.take(5 * kMiB);
    if (address == nullptr) address = memory.get();
    EXPECT_EQ(memory.get(), address);
    fill(memory, 5 * kMiB, round);
    EXPECT_TRUE(holds(memory, 5 * kMiB, round));
  }
  EXPECT_EQ(pool.lent(), pool.kept());
}

TEST(MemoryPool, HandsOutMemoryWhosePagesTheKernelHasTaken) {
  MemoryPool pool(8 * kMiB, 0);
  std::byte* address = nullptr;
  {
    const auto memory = pool.take(4 * kMiB);
    address = memory.get();
    fill(memory, 4 * kMiB, 1);
  }
  ASSERT_EQ(::madvise(address, 4 * kMiB, MADV_DONTNEED), 0);  // as reclaim does
  const auto memory = pool.take(4 * kMiB);
  EXPECT_EQ(memory.get(), address);
  EXPECT_TRUE(holds(memory, 4 * kMiB, 0));
  fill(memory, 4 * kMiB, 2);
  EXPECT_TRUE(holds(memory, 4 * kMiB, 2));
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
  for (const std::size_t bytes : {2 * kMiB, 5 * kMiB + 3, 40 * kMiB}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pool.take(bytes).get()) % (2 * kMiB), 0U);
  }
}

TEST(MemoryPool, RefusesMoreThanThereCanBe) {
  MemoryPool pool(0);
  EXPECT_THROW(static_cast<void>(pool.take(std::numeric_limits<std::size_t>::max() / 2)), std::bad_alloc);
}

TEST(MemoryPool, ServesManyThreads) {
  MemoryPool pool(8 * kMiB, kMiB);
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
