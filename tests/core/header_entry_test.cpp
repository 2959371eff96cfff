#include "core/header_entry.hpp"

#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/header_dsl.hpp"
#include "core/header_text.hpp"

namespace weighbridge {
namespace {

using testing::ElementsAre;

constexpr std::uint32_t kRankLimit = 4;

// What EntryReader makes of one entry that stands somewhere in a text.
struct Attempt {
  Header::Data data;
  std::size_t behind = 0;  // of the entry, 0 when it was left
  bool has_more = false;
  std::size_t room = 0;
};

using Way = std::size_t (EntryReader::*)(std::size_t);

Attempt read(std::string_view entry, std::string_view rest = "}", Way way = &EntryReader::read) {
  constexpr std::string_view kFront = "{";
  const std::string text = fmt::format("{}{}{}", kFront, entry, rest);
  Attempt attempt;
  attempt.data.text = test::padded(text);
  HeaderRoom room(text.size());
  EntryReader reader(attempt.data.text.get(), kRankLimit, room, attempt.data);
  attempt.behind = (reader.*way)(kFront.size());
  attempt.has_more = reader.has_more();
  if (attempt.behind != 0) attempt.behind -= kFront.size();
  attempt.room = HeaderRoom(text.size()).left() - room.left();
  return attempt;
}

void expect_taken(const std::string& entry) {
  const Attempt attempt = read(entry);
  EXPECT_EQ(attempt.behind, entry.size()) << entry;
  ASSERT_EQ(attempt.data.tensors.size(), 1U) << entry;
  const TensorRecord& record = attempt.data.tensors.front();
  EXPECT_EQ(attempt.data.view(record.name), "a.b");
  EXPECT_EQ(record.name_hash, attempt.data.name_hash("a.b"));
  EXPECT_EQ(record.dtype, DType::BF16);
  EXPECT_THAT(attempt.data.shape(record), ElementsAre(2, 10));
  EXPECT_EQ(record.begin, 1234567890123456789U);
  EXPECT_EQ(record.end, 7U);
  EXPECT_EQ(attempt.room, 2 * sizeof(std::uint64_t));
}

void expect_left(const std::string& entry) {
  const Attempt attempt = read(entry);
  EXPECT_EQ(attempt.behind, 0U) << entry;
  EXPECT_TRUE(attempt.data.tensors.empty()) << entry;
  EXPECT_TRUE(attempt.data.dims.empty()) << entry;
  EXPECT_EQ(attempt.room, 0U) << entry;
}

TEST(EntryReader, TakesCompactEntriesAndThoseWithSingleSpaces) {
  expect_taken(R"("a.b":{"dtype":"BF16","shape":[2,10],"data_offsets":[1234567890123456789,7]})");
  expect_taken(R"("a.b": {"dtype": "BF16", "shape": [2, 10], "data_offsets": [1234567890123456789, 7]})");
}

TEST(EntryReader, TakesTheFieldsInAnyOrder) {
  expect_taken(R"("a.b":{"data_offsets":[1234567890123456789,7],"dtype":"BF16","shape":[2,10]})");
  expect_taken(R"("a.b":{"shape":[2,10],"data_offsets":[1234567890123456789,7],"dtype":"BF16"})");
  expect_taken(R"("a.b":{"dtype":"BF16","data_offsets":[1234567890123456789,7],"shape":[2,10]})");
  expect_taken(R"("a.b":{"dtype":"BF16","shape":[2,10], "data_offsets":[1234567890123456789,7]})");
}

TEST(EntryReader, BeginsCompactEntriesWithMoreFields) {
  const std::string three = R"("a":{"dtype":"BF16","shape":[2,10],"data_offsets":[0,40])";
  for (const std::string_view rest : {R"(,"x":1}})", R"(, "x":1}})", R"(,"dtype":"U8"}})", ",}}"}) {
    const Attempt attempt = read(three, rest, &EntryReader::read_or_begin);
    EXPECT_EQ(attempt.behind, three.size()) << rest;
    EXPECT_TRUE(attempt.has_more) << rest;
    ASSERT_EQ(attempt.data.tensors.size(), 1U) << rest;
    EXPECT_THAT(attempt.data.shape(attempt.data.tensors.front()), ElementsAre(2, 10));
    expect_left(three + std::string(rest));
  }
  const Attempt whole = read(three + "}", "}", &EntryReader::read_or_begin);
  EXPECT_EQ(whole.behind, three.size() + 1);
  EXPECT_FALSE(whole.has_more);
}

TEST(EntryReader, LeavesEntriesWithMoreFieldsInAnotherLayout) {
  for (const std::string_view entry :
       {R"("a":{"dtype":"BF16","x":1,"shape":[2,10],"data_offsets":[0,40]})",
        R"("a":{"shape":[2,10],"dtype":"BF16","data_offsets":[0,40],"x":1})",
        R"("a": {"dtype": "BF16", "shape": [2, 10], "data_offsets": [0, 40], "x": 1})",
        R"("__metadata__":{"dtype":"BF16","shape":[2,10],"data_offsets":[0,40],"x":1})"}) {
    EXPECT_EQ(read(entry, "}", &EntryReader::read_or_begin).behind, 0U) << entry;
  }
}

TEST(EntryReader, TakesEveryDtypeAlsoWhereItStandsAgain) {
  for (const auto& row : detail::kDTypes) {
    const std::string entry = test::entry("n", row.name, {}, 0, 0);
    Header::Data data;
    const std::string text = entry + "," + entry;
    data.text = test::padded(text);
    HeaderRoom room(text.size());
    EntryReader reader(data.text.get(), kRankLimit, room, data);
    ASSERT_EQ(reader.read(0), entry.size()) << row.name;
    ASSERT_EQ(reader.read(entry.size() + 1), text.size()) << row.name;
    EXPECT_EQ(dtype_name(data.tensors[1].dtype), row.name);
  }
}

// What begins with the digits that were met before need not be that number.
TEST(EntryReader, TakesOffsetsThatFollowOnEveryKindOfNumber) {
  static constexpr std::array<std::uint64_t, 12> kNumbers = {
      0,         1,          12,          123456,       1234567,          12345678,
      123456789, 1234567890, 12345678901, 123456789012, 1234567890123456, 1234567890123456789};
  for (const std::uint64_t last : kNumbers) {
    for (const std::uint64_t begin : kNumbers) {
      const std::string first = test::entry("a", "U8", {}, 0, last);
      const std::string text = first + "," + test::entry("b", "U8", {}, begin, begin);
      Header::Data data;
      data.text = test::padded(text);
      HeaderRoom room(text.size());
      EntryReader reader(data.text.get(), kRankLimit, room, data);
      ASSERT_EQ(reader.read(0), first.size()) << last;
      ASSERT_EQ(reader.read(first.size() + 1), text.size()) << last << ", " << begin;
      EXPECT_EQ(data.tensors[0].end, last);
      EXPECT_EQ(data.tensors[1].begin, begin);
      EXPECT_EQ(data.tensors[1].end, begin);
    }
  }
}

struct OfLayout {
  std::string_view dtype;
  Shape shape;
};

// What many headers have: few layouts that come again and again, here more than are remembered.
TEST(EntryReader, TakesLayoutsThatStandAgain) {
  std::vector<OfLayout> layouts;
  for (const std::string_view dtype : {"U8", "F32", "F8_E4M3FNUZ", "BOOL"}) {
    for (std::uint64_t i = 0; i < 400; ++i) layouts.push_back({dtype, {i, i * i * i}});
    layouts.push_back({dtype, {}});
    layouts.push_back({dtype, {0}});
    layouts.push_back({dtype, {1234567890123, 1, 1234567890123}});  // too long to be remembered
  }
  std::mt19937 random(7);
  std::vector<OfLayout> drawn;
  std::string text;
  std::uniform_int_distribution<std::size_t> pick(0, layouts.size() - 1);
  for (std::size_t i = 0; i < 20'000; ++i) {
    drawn.push_back(layouts[i % 2 == 0 ? pick(random) : pick(random) % 30]);
    text += test::entry(std::to_string(i), drawn.back().dtype, drawn.back().shape, i, i) + ",";
  }
  Header::Data data;
  data.text = test::padded(text);
  HeaderRoom room(text.size());
  EntryReader reader(data.text.get(), kRankLimit, room, data);
  std::size_t from = 0;
  for (const OfLayout& layout : drawn) {
    from = reader.read(from) + 1;
    ASSERT_GT(from, 1U);
    ASSERT_EQ(dtype_name(data.tensors.back().dtype), layout.dtype);
    ASSERT_THAT(data.shape(data.tensors.back()), testing::ElementsAreArray(layout.shape));
  }
  EXPECT_EQ(from, text.size());
}

TEST(EntryReader, CountsTheRoomOfLayoutsThatStandAgain) {
  const std::string one = test::entry("n", "U8", {1, 2}, 0, 2);
  Header::Data data;
  const std::string text = one + "," + one;
  data.text = test::padded(text);
  HeaderRoom room(0);
  room.take(room.left() - 3 * sizeof(std::uint64_t));
  EntryReader reader(data.text.get(), kRankLimit, room, data);
  EXPECT_EQ(reader.read(0), one.size());
  EXPECT_EQ(reader.read(one.size() + 1), 0U);
  EXPECT_EQ(data.tensors.size(), 1U);
  EXPECT_EQ(room.left(), sizeof(std::uint64_t));
}

// The bytes that tensors tile, or nothing.
std::optional<std::uint64_t> tiled_by(std::initializer_list<std::string> entries) {
  Header::Data data;
  std::string text;
  for (const std::string& entry : entries) text += entry + ",";
  data.text = test::padded(text);
  HeaderRoom room(text.size());
  EntryReader reader(data.text.get(), kRankLimit, room, data);
  std::size_t from = 0;
  while (from < text.size()) from = reader.read(from) + 1;
  return reader.tiled();
}

TEST(EntryReader, TellsWhetherTensorsTile) {
  using test::entry;
  EXPECT_EQ(tiled_by({}), 0U);
  EXPECT_EQ(tiled_by({entry("a", "U8", {2}, 0, 2), entry("b", "U8", {2}, 2, 4), entry("c", "F4", {2}, 4, 5)}),
            5U);
  EXPECT_EQ(tiled_by({entry("a", "U8", {2}, 1, 3)}), std::nullopt);
  EXPECT_EQ(tiled_by({entry("a", "U8", {2}, 0, 2), entry("b", "U8", {2}, 0, 2)}), std::nullopt);
  EXPECT_EQ(tiled_by({entry("a", "U8", {2}, 0, 2), entry("b", "U8", {2}, 2, 3)}), std::nullopt);
  EXPECT_EQ(tiled_by({entry("a", "U8", {2}, 0, 2), entry("b", "U8", {2}, 3, 5)}), std::nullopt);
  EXPECT_EQ(tiled_by({entry("a", "F4", {1}, 0, 0)}), std::nullopt);
  EXPECT_EQ(tiled_by({entry("a", "U8", {1ULL << 32, 1ULL << 32}, 0, 0)}), std::nullopt);
  EXPECT_EQ(tiled_by({entry("a", "U8", {UINT64_C(9000000000000000000)}, 0, UINT64_C(9000000000000000000)),
                      entry("b", "U8", {UINT64_C(9446744073709551616)}, UINT64_C(9000000000000000000), 0)}),
            std::nullopt);
}

TEST(EntryReader, LeavesWhatIsNotTheUsualLayout) {
  expect_left(R"("\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})");
  expect_left(R"("a":{"dtype":"\u00558","shape":[1],"data_offsets":[0,1]})");
  expect_left(R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":0})");
  expect_left(R"("a":{"x":0,"dtype":"U8","shape":[1],"data_offsets":[0,1]})");
  expect_left(R"("a":  {"dtype":"U8","shape":[1],"data_offsets":[0,1]})");
  expect_left(R"("a" :{"dtype":"U8","shape":[1],"data_offsets":[0,1]})");
  expect_left("\"a\":{\n\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}");
  expect_left(R"("__metadata__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})");
  expect_left(R"("__metadata__":{"format":"pt"})");
}

TEST(EntryReader, LeavesWhatIsWrong) {
  expect_left("");
  expect_left(R"("a)");
  expect_left(R"("a":{})");
  expect_left(R"("a":{"dtype":"U8","shape":[1]})");
  expect_left(R"("a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]})");
  expect_left(R"("a":{"dtype":"U9","shape":[1],"data_offsets":[0,1]})");
  expect_left(R"("a":{"dtype":"U8","shape":[1,],"data_offsets":[0,1]})");
  expect_left(R"("a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]})");
  expect_left(R"("a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]})");
  expect_left(R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0]})");
  expect_left(R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]})");
  expect_left(R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,20000000000000000000]})");
  expect_left(R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],})");
}

TEST(EntryReader, LeavesShapesAboveTheLimit) {
  EXPECT_NE(read(test::entry("a", "U8", {1, 1, 1, 1}, 0, 1)).behind, 0U);
  expect_left(test::entry("a", "U8", {1, 1, 1, 1, 1}, 0, 1));
}

}  // namespace
}  // namespace weighbridge
