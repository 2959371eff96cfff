#include <gtest/gtest.h>

#include "formats/pickle/memo.hpp"

namespace weighbridge::pickle {
namespace {

TEST(PickleMemoTable, FindsWhatWasPutAndNothingElse) {
  Memo memo;
  memo.put(1, 10);
  EXPECT_EQ(memo.find(1), 10U);
  EXPECT_EQ(memo.find(0), kNoNode);
  EXPECT_EQ(memo.find(2), kNoNode);
  EXPECT_EQ(memo.size(), 1U);
}

TEST(PickleMemoTable, CountsEachNumberOnce) {
  Memo memo;
  memo.put(0, 1);
  memo.put(0, 2);
  memo.put(1'000'000, 3);
  memo.put(1'000'000, 4);
  EXPECT_EQ(memo.size(), 2U);
  EXPECT_EQ(memo.find(0), 2U);
  EXPECT_EQ(memo.find(1'000'000), 4U);
}

TEST(PickleMemoTable, ANumberThatWasFarAwayIsFoundWhenTheTableReachesIt) {
  Memo memo;
  memo.put(1'000, 7);
  for (std::uint64_t i = 0; i < 990; ++i) memo.put(i, 1);
  EXPECT_EQ(memo.find(1'000), 7U);
  memo.put(1'000, 8);
  EXPECT_EQ(memo.find(1'000), 8U);
  EXPECT_EQ(memo.size(), 991U);
}

}  // namespace
}  // namespace weighbridge::pickle
