#include "io/coverage.hpp"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace weighbridge::io {
namespace {

TEST(Coverage, ClaimsEachByteOnce) {
  Coverage coverage;
  EXPECT_TRUE(coverage.claim(10, 20));
  EXPECT_FALSE(coverage.claim(10, 20));
  EXPECT_FALSE(coverage.claim(5, 11));
  EXPECT_FALSE(coverage.claim(19, 25));
  EXPECT_FALSE(coverage.claim(0, 100));
  EXPECT_FALSE(coverage.claim(12, 13));
  EXPECT_TRUE(coverage.claim(5, 10));
  EXPECT_TRUE(coverage.claim(20, 25));
  EXPECT_EQ(coverage.claimed_bytes(), 20U);
}

TEST(Coverage, NothingIsClaimedByAnEmptyRange) {
  Coverage coverage;
  EXPECT_TRUE(coverage.claim(3, 3));
  EXPECT_TRUE(coverage.claim(0, 5));
  EXPECT_TRUE(coverage.claim(3, 3));
  EXPECT_EQ(coverage.claimed_bytes(), 5U);
}

TEST(Coverage, FindsTheFirstGap) {
  Coverage coverage;
  EXPECT_EQ(coverage.first_gap(0), std::nullopt);
  EXPECT_EQ(coverage.first_gap(1), 0U);
  coverage.claim(0, 4);
  coverage.claim(8, 12);
  EXPECT_EQ(coverage.first_gap(12), 4U);
  EXPECT_EQ(coverage.first_gap(4), std::nullopt);
  EXPECT_EQ(coverage.next_claimed(4, 12), 8U);
  EXPECT_EQ(coverage.next_claimed(4, 6), 6U);
  coverage.claim(4, 8);
  EXPECT_EQ(coverage.first_gap(12), std::nullopt);
}

TEST(Coverage, AgreesWithASetOfBytes) {
  std::mt19937 random(7);
  Coverage coverage;
  std::set<std::uint64_t> bytes;
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t begin = random() % 500;
    const std::uint64_t end = begin + random() % 6;
    const auto taken = bytes.lower_bound(begin);
    const bool is_free = taken == bytes.end() || *taken >= end;
    ASSERT_EQ(coverage.claim(begin, end), is_free || begin == end);
    if (is_free) {
      for (std::uint64_t at = begin; at < end; ++at) bytes.insert(at);
    }
    ASSERT_EQ(coverage.claimed_bytes(), bytes.size());
    std::uint64_t gap = 0;
    while (bytes.contains(gap)) ++gap;
    ASSERT_EQ(coverage.first_gap(600), gap);
  }
}

}  // namespace
}  // namespace weighbridge::io
