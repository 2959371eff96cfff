#include "core/name_order.hpp"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace weighbridge {
namespace {

using Names = std::vector<std::string>;

Names ordered(const Names& names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  const NameOrder order = order_names(views);
  EXPECT_FALSE(order.twice.has_value());
  Names result;
  for (const std::uint32_t position : order.positions) result.push_back(names[position]);
  return result;
}

Names sorted(Names names) {
  std::sort(names.begin(), names.end());
  return names;
}

TEST(NameOrder, OfNoneAndOfOne) {
  EXPECT_EQ(ordered({}), Names());
  EXPECT_EQ(ordered({""}), Names({""}));
}

TEST(NameOrder, IsThatOfTheBytes) {
  EXPECT_EQ(ordered({"b", "\xC3\xA9", "a", "Z", "", "a.b"}), Names({"", "Z", "a", "a.b", "b", "\xC3\xA9"}));
}

TEST(NameOrder, TellsNamesApartThatEndInNul) {
  using namespace std::string_literals;
  const Names names = {"a\0\0"s, "a"s, "a\0"s, "aaaaaaaa\0"s, "aaaaaaaa"s, "aaaaaaaa\0\0\0\0\0\0\0\0"s,
                       ""s,      "\0"s};
  EXPECT_EQ(ordered(names), sorted(names));
}

TEST(NameOrder, OfNamesThatBeginAlike) {
  Names names;
  for (int i = 0; i < 3000; ++i) {
    names.push_back("model.layers." + std::to_string(i % 61) + ".mlp.experts." + std::to_string(i / 61) +
                    ".scale");
  }
  EXPECT_EQ(ordered(names), sorted(names));
}

TEST(NameOrder, OfNamesThatAreBeginningsOfEachOther) {
  Names names;
  for (std::size_t i = 300; i > 0; --i) names.push_back(std::string(i, 'x'));
  EXPECT_EQ(ordered(names), sorted(names));
}

TEST(NameOrder, OfManyNamesThatAlternate) {
  Names names;
  for (int i = 0; i < 2000; ++i) {
    names.push_back((i % 2 == 0 ? "encoder.layers." : "decoder.layers.") + std::to_string(i / 40) +
                    ".weight." + std::to_string(i));
  }
  EXPECT_EQ(ordered(names), sorted(names));
}

TEST(NameOrder, OfRandomNamesOfFewLetters) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    Names names;
    for (int i = 0; i < 200; ++i) {
      std::string name(random() % 24, '\0');
      for (char& c : name) c = static_cast<char>(random() % 3 == 0 ? 0 : random() % 2 == 0 ? 'a' : 0xFF);
      names.push_back(std::move(name));
    }
    names = sorted(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    const Names wanted = names;
    std::shuffle(names.begin(), names.end(), random);
    EXPECT_EQ(ordered(names), wanted);
  }
}

TEST(NameOrder, FindsANameGivenTwiceWhereverItIs) {
  for (const std::string& name :
       {std::string(), std::string("ab"), std::string("abcdefgh"), std::string(100, 'a')}) {
    const std::string longer = name + "b";
    const std::string other = "zz";
    const std::vector<std::string_view> names = {other, name, longer, name};
    const NameOrder order = order_names(names);
    ASSERT_TRUE(order.twice.has_value());
    EXPECT_EQ(names[*order.twice], name);
  }
}

TEST(NameOrder, FindsANameGivenTwiceAmongMany) {
  for (const std::size_t twice : {0U, 7U, 999U}) {
    Names names;
    for (std::size_t i = 0; i < 1000; ++i) names.push_back("layers." + std::to_string(i * 7919 % 1000));
    names.push_back(names[twice]);
    const std::vector<std::string_view> views(names.begin(), names.end());
    const NameOrder order = order_names(views);
    ASSERT_TRUE(order.twice.has_value());
    EXPECT_EQ(names[*order.twice], names[twice]);
  }
}

}  // namespace
}  // namespace weighbridge
