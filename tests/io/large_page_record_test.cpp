#include "io/large_page_record.hpp"

#include <gtest/gtest.h>

#include "io/pages.hpp"

namespace weighbridge::io {
namespace {

using namespace std::chrono_literals;

class LargePageRecordTest : public testing::Test {
 protected:
  void count(std::chrono::nanoseconds taken) { record_.count(taken, kLargePage, now_); }
  bool promising(std::chrono::nanoseconds later = 0s) const { return record_.promising(now_ + later); }

  LargePageRecord record_;
  const LargePageRecord::Time now_ = std::chrono::steady_clock::now();
};

TEST_F(LargePageRecordTest, PromisesUntilItKnowsBetter) {
  EXPECT_TRUE(promising());
  for (int i = 0; i < 1000; ++i) count(250us);
  EXPECT_TRUE(promising());
}

TEST_F(LargePageRecordTest, PausesAfterTwoSlowPages) {
  count(6ms);
  EXPECT_TRUE(promising());
  count(6ms);
  EXPECT_FALSE(promising());
  EXPECT_FALSE(promising(LargePageRecord::kPause - 1ms));
}

TEST_F(LargePageRecordTest, TriesAgainAfterThePause) {
  count(12ms);
  EXPECT_TRUE(promising(LargePageRecord::kPause));
  record_.count(250us, kLargePage, now_ + LargePageRecord::kPause);
  EXPECT_TRUE(promising(LargePageRecord::kPause));
  record_.count(12ms, kLargePage, now_ + LargePageRecord::kPause);
  EXPECT_FALSE(promising(LargePageRecord::kPause));
}

TEST_F(LargePageRecordTest, SetsOffWhatWasSavedUpToABound) {
  for (int i = 0; i < 20; ++i) count(250us);
  count(12ms);
  EXPECT_TRUE(promising());
  for (int i = 0; i < 100'000; ++i) count(250us);
  int slow = 0;
  for (; promising() && slow < 100; ++slow) count(6ms);
  EXPECT_LE(slow, 4);
}

}  // namespace
}  // namespace weighbridge::io
