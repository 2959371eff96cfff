#include "io/map_cost.hpp"

#include <gtest/gtest.h>

namespace weighbridge::io {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

TEST(MapCostTest, BearsWhatIsMappedInLargePieces) {
  MapCost cost;
  for (int i = 0; i < 1000; ++i) {
    cost.mapped(2us, kMiB);
    ASSERT_TRUE(cost.bearable());
  }
}

TEST(MapCostTest, GivesUpWhatIsMappedInSmallPieces) {
  MapCost cost;
  int tries = 0;
  for (; cost.bearable(); ++tries) cost.mapped(26us, kMiB);
  EXPECT_GT(tries, 1);
  EXPECT_LT(tries, 10);
}

TEST(MapCostTest, ForgivesOneCallThatWaited) {
  MapCost cost;
  cost.mapped(3s, kMiB);
  EXPECT_TRUE(cost.bearable());
  for (int i = 0; i < 20; ++i) cost.mapped(2us, kMiB);
  cost.mapped(3s, kMiB);
  EXPECT_TRUE(cost.bearable());
  cost.mapped(3s, kMiB);
  EXPECT_FALSE(cost.bearable());
}

TEST(MapCostTest, TriesAgainBehindWhatWasRead) {
  MapCost cost;
  cost.mapped(3s, kMiB);
  cost.mapped(3s, kMiB);
  std::uint64_t read = 0;
  for (; !cost.bearable(); read += kMiB) cost.read(kMiB);
  EXPECT_GT(read, 32 * kMiB);
  EXPECT_LE(read, 64 * kMiB);
  cost.mapped(26us, kMiB);
  EXPECT_FALSE(cost.bearable());
}

TEST(MapCostTest, SpendsLittleOnTrials) {
  MapCost cost;
  std::uint64_t read = 0;
  std::chrono::nanoseconds mapping{};
  while (read < 1000 * kMiB) {
    if (cost.bearable()) {
      cost.mapped(26us, kMiB);
      mapping += 26us;
    } else {
      cost.read(kMiB / 8);
      read += kMiB / 8;
    }
  }
  EXPECT_LT(mapping, 12ms);  // where to read takes 250
}

}  // namespace
}  // namespace weighbridge::io
