#include "io/page_maker.hpp"

#include <algorithm>
#include <vector>

#include <weighbridge/byte_source.hpp>

#include <gtest/gtest.h>

#include "io/pages.hpp"
#include "io/smaps.hpp"

namespace weighbridge::io {
namespace {

using namespace std::chrono_literals;
using namespace weighbridge::test;

class PageMakerTest : public testing::Test {
 protected:
  std::string advice() const { return smaps_field(inner(), "VmFlags:"); }
  bool asks_for_large() const { return advice().find(" hg") != std::string::npos; }
  bool asks_for_small() const { return advice().find(" nh") != std::string::npos; }
  // A large page lies here, wherever the memory begins.
  const std::byte* inner() const { return memory_.bytes().data() + kLargePage; }

  FreshMemory memory_{32 * kLargePage};
  /// Steps for so much of the memory.
  std::vector<LoadStep> first(std::size_t bytes) const {
    std::vector<LoadStep> few = steps_;
    few[0].out = few[0].out.first(bytes);
    return few;
  }

  LargePageRecord record_;
  std::vector<LoadStep> steps_{{.source = nullptr, .runs = {}, .out = memory_.bytes()}};
};

TEST_F(PageMakerTest, AsksForLargePagesOnlyWhereTheyAreWanted) {
  PageMaker small(steps_, {}, record_);
  EXPECT_FALSE(small.large());
  EXPECT_FALSE(asks_for_large());
  PageMaker none(steps_, {.prefault = false, .large_pages = true}, record_);
  EXPECT_FALSE(none.large());
  EXPECT_FALSE(asks_for_large());
  const std::vector<LoadStep> few = first(2 * kLargePage - 1);
  PageMaker little(few, {.large_pages = true}, record_);
  EXPECT_FALSE(little.large());
  EXPECT_FALSE(asks_for_large());
  PageMaker large(steps_, {.large_pages = true}, record_);
  EXPECT_TRUE(large.large());
  EXPECT_TRUE(asks_for_large());
}

TEST_F(PageMakerTest, AsksForLargePagesForALoadOf4MiB) {
  const std::vector<LoadStep> steps = first(3 * kLargePage);
  PageMaker large(steps, {.large_pages = true}, record_);
  EXPECT_TRUE(large.large());
  EXPECT_TRUE(asks_for_large());
}

TEST_F(PageMakerTest, GoesOnWithLargePagesThatComeAtOnce) {
  PageMaker pages(steps_, {.large_pages = true}, record_);
  for (int i = 0; i < 10'000; ++i) pages.count(250us, kLargePage);
  EXPECT_TRUE(pages.large());
  EXPECT_TRUE(asks_for_large());
}

TEST_F(PageMakerTest, AsksForSmallPagesOnceLargeOnesHaveCostMore) {
  PageMaker pages(steps_, {.large_pages = true}, record_);
  pages.count(6ms, kLargePage);
  EXPECT_TRUE(pages.large());
  pages.count(6ms, kLargePage);
  EXPECT_FALSE(pages.large());
  EXPECT_TRUE(asks_for_small());
}

TEST_F(PageMakerTest, KnowsFromLoadsBeforeThatLargePagesAreSlow) {
  PageMaker large(steps_, {.large_pages = true}, record_);
  EXPECT_TRUE(asks_for_large());
  record_.count(30ms, kLargePage, std::chrono::steady_clock::now());
  PageMaker next(steps_, {.large_pages = true}, record_);
  EXPECT_FALSE(next.large());
  EXPECT_TRUE(asks_for_small());
}

TEST_F(PageMakerTest, GivesUpLargePagesThatAnotherLoadFoundSlow) {
  PageMaker pages(steps_, {.large_pages = true}, record_);
  record_.count(30ms, kLargePage, std::chrono::steady_clock::now());
  pages.count(250us, kLargePage);
  EXPECT_FALSE(pages.large());
}

TEST_F(PageMakerTest, ForgivesASlowPageAmongManyThatAreNot) {
  PageMaker pages(steps_, {.large_pages = true}, record_);
  for (int i = 0; i < 1'000; ++i) {
    for (int fast = 0; fast < 20; ++fast) pages.count(250us, kLargePage);
    pages.count(5ms, kLargePage);
  }
  EXPECT_TRUE(pages.large());
}

TEST_F(PageMakerTest, MakesPagesAndChangesNoByte) {
  memory_.bytes()[5] = std::byte{7};
  PageMaker pages(steps_, {.large_pages = true}, record_);
  EXPECT_TRUE(pages.make(memory_.bytes()));
  EXPECT_FALSE(pages.make(memory_.bytes()));
  EXPECT_FALSE(make_pages(memory_.bytes()));
  EXPECT_EQ(std::ranges::count(memory_.bytes(), std::byte{7}), 1);
}

TEST_F(PageMakerTest, KnowsWhichLoadsAreLarge) {
  EXPECT_TRUE(PageMaker(steps_, {}, record_).much());
  EXPECT_FALSE(PageMaker(first(32 * kLargePage - 1), {}, record_).much());
}

TEST_F(PageMakerTest, MakesNoneWhereNoneAreToBeMade) {
  PageMaker pages(steps_, {.prefault = false}, record_);
  EXPECT_TRUE(pages.make(memory_.bytes()));
  EXPECT_TRUE(make_pages(memory_.bytes()));
  EXPECT_TRUE(pages.make(memory_.bytes()));  // it did not look
}

}  // namespace
}  // namespace weighbridge::io
