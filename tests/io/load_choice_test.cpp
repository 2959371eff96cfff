#include "io/load_choice.hpp"

#include <gtest/gtest.h>

namespace weighbridge::io {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

/// A large local file, all of it wanted and in memory.
LoadFacts warm() {
  return {.file = true,
          .mappable = true,
          .wanted = kGiB,
          .wanted_long = kGiB,
          .resident = 1.0,
          .available = 8 * kGiB};
}

LoadFacts cold() {
  LoadFacts facts = warm();
  facts.resident = 0.03;
  return facts;
}

LoadMode chosen(const LoadFacts& facts, LoadMode asked = LoadMode::Auto) {
  const LoadChoice choice = choose_mode(asked, facts);
  EXPECT_FALSE(choice.why.empty());
  return choice.mode;
}

TEST(LoadChoice, CopiesWhatIsInMemoryOutOfAMapping) {
  EXPECT_EQ(chosen(warm()), LoadMode::View);
  LoadFacts unknown = warm();
  unknown.resident.reset();
  unknown.available.reset();
  EXPECT_EQ(chosen(unknown), LoadMode::View);
}

TEST(LoadChoice, ReadsColdFilesPastThePageCache) {
  EXPECT_EQ(chosen(cold()), LoadMode::Direct);
  EXPECT_EQ(choose_mode(LoadMode::Auto, cold()).why, "only 3 % of it is in the page cache");
}

TEST(LoadChoice, ReadsLittleOfAColdFileWithoutReadingAhead) {
  LoadFacts facts = cold();
  facts.wanted = facts.wanted_long = 1 << 20;
  const LoadChoice choice = choose_mode(LoadMode::Auto, facts);
  EXPECT_EQ(choice.mode, LoadMode::Copy);
  EXPECT_TRUE(choice.exact);
}

TEST(LoadChoice, LetsShortRangesOfAColdFileShareTheirPages) {
  LoadFacts facts = cold();
  facts.wanted_long = 0;
  EXPECT_EQ(chosen(facts), LoadMode::View);
  facts.mappable = false;
  EXPECT_EQ(chosen(facts), LoadMode::Copy);
}

TEST(LoadChoice, NeverMapsOnANetworkFileSystem) {
  for (LoadFacts facts : {warm(), cold()}) {
    facts.remote = true;
    facts.mappable = false;
    EXPECT_EQ(chosen(facts), LoadMode::Copy);
    EXPECT_EQ(chosen(facts, LoadMode::View), LoadMode::Copy);
  }
}

TEST(LoadChoice, ReadsPastThePageCacheWhatHasNoRoomThere) {
  LoadFacts facts = warm();
  facts.resident = 0.6;
  facts.available = kGiB / 4;
  EXPECT_EQ(chosen(facts), LoadMode::Direct);
  facts.available = kGiB / 2;
  EXPECT_EQ(chosen(facts), LoadMode::View);
}

TEST(LoadChoice, ReadsAFileThatWasOpenedWithoutAMapping) {
  LoadFacts facts = warm();
  facts.mappable = false;
  EXPECT_EQ(chosen(facts), LoadMode::Copy);
}

TEST(LoadChoice, TakesWhatIsNoFileAsItComes) {
  EXPECT_EQ(chosen({.mappable = true, .wanted = 10}), LoadMode::View);
  EXPECT_EQ(chosen({.mappable = false, .wanted = 10}), LoadMode::Copy);
}

TEST(LoadChoice, DoesWhatItIsAskedTo) {
  EXPECT_EQ(chosen(cold(), LoadMode::View), LoadMode::View);
  EXPECT_EQ(chosen(warm(), LoadMode::Copy), LoadMode::Copy);
  EXPECT_EQ(chosen(warm(), LoadMode::Direct), LoadMode::Direct);
  EXPECT_EQ(choose_mode(LoadMode::Direct, warm()).why, "asked for");
}

TEST(LoadChoice, SaysWhyItCannotDoWhatItIsAskedTo) {
  const LoadChoice choice = choose_mode(LoadMode::Direct, {.mappable = true, .wanted = 10});
  EXPECT_EQ(choice.mode, LoadMode::Copy);
  EXPECT_EQ(choice.why, "direct was asked for, and it is no plain file");
}

}  // namespace
}  // namespace weighbridge::io
