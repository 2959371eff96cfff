#include "io/map_cost.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace weighbridge::io {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

/// Reads until mapping is tried again; gives how much that was.
std::uint64_t read_until_tried(MapCost& cost) {
  std::uint64_t read = 0;
  while (!cost.bearable()) {
    const std::uint64_t bytes = cost.stretch();
    cost.read(bytes);
    read += bytes;
  }
  return read;
}

TEST(MapCostTest, MapsOnWhatLiesInLargePieces) {
  MapCost cost;
  const std::uint64_t trial = cost.stretch();
  for (int i = 0; i < 1000; ++i) {
    cost.mapped(2us, kMiB);
    ASSERT_TRUE(cost.bearable());
    ASSERT_GT(cost.stretch(), trial);
  }
}

TEST(MapCostTest, ReadsWhatLiesInSmallPieces) {
  MapCost cost;
  cost.mapped(26us, kMiB);
  EXPECT_FALSE(cost.bearable());
}

TEST(MapCostTest, ForgivesCallsTheirOwnTime) {
  MapCost cost;
  cost.mapped(8us, 4096);
  EXPECT_TRUE(cost.bearable());
}

TEST(MapCostTest, ForgivesOneCallThatWaited) {
  MapCost cost;
  cost.mapped(2us, kMiB);
  cost.mapped(3s, kMiB);
  EXPECT_TRUE(cost.bearable());
  cost.mapped(2us, kMiB);
  cost.mapped(3s, kMiB);
  EXPECT_TRUE(cost.bearable());
  cost.mapped(3s, kMiB);
  EXPECT_FALSE(cost.bearable());
}

TEST(MapCostTest, FindsTheEndOfTheSmallPieces) {
  MapCost cost;
  cost.mapped(26us, kMiB);
  EXPECT_EQ(read_until_tried(cost), kMiB);
  cost.mapped(2us, kMiB);
  EXPECT_TRUE(cost.bearable());
  cost.mapped(3s, kMiB);
  cost.mapped(3s, kMiB);
  EXPECT_EQ(read_until_tried(cost), kMiB) << "the wait is what it was at first";
}

TEST(MapCostTest, TriesLessAndLessOften) {
  MapCost cost;
  std::uint64_t expected = kMiB;
  for (int i = 0; i < 20; ++i) {
    cost.mapped(26us, kMiB);
    ASSERT_EQ(read_until_tried(cost), expected);
    expected = std::min(2 * expected, 64 * kMiB);
  }
}

TEST(MapCostTest, ReadsNoFurtherThanToTheNextTrial) {
  MapCost cost;
  cost.mapped(26us, kMiB);
  cost.read(kMiB - 4096);
  EXPECT_EQ(cost.stretch(), 4096);
  cost.read(4096);
  EXPECT_TRUE(cost.bearable());
  EXPECT_GT(cost.stretch(), 0);
}

}  // namespace
}  // namespace weighbridge::io
