// A header that is read at several places at once: which parts count, and that nothing shows of it.
#include "core/header_parts.hpp"

#include <functional>
#include <memory_resource>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/header_dsl.hpp"
#include "core/header_paths.hpp"

namespace weighbridge {
namespace {

using test::crew_of;
using test::entry;
using test::header_of;
using test::paths_agree;
using test::scan;

constexpr std::size_t kParts = 4;
constexpr StreamWindow kSmall = {.piece = 4096, .least = 2600};  // holds two members with long names

// Tensors of one byte each.
std::vector<std::string> members(std::size_t count) {
  std::vector<std::string> members;
  for (std::uint64_t i = 0; i < count; ++i)
    members.push_back(entry(fmt::format("t.{}", i), "U8", {1}, i, i + 1));
  return members;
}

// What a crew does, and how many parts it was given.
HeaderCrew counting(std::size_t& parts, HeaderCrew crew) {
  crew.run = [&parts, run = crew.run](std::size_t jobs, const std::function<void(std::size_t)>& work) {
    parts = jobs;
    run(jobs, work);
  };
  return crew;
}

std::optional<Error> error_in_parts(const std::string& header, std::uint64_t data_bytes, std::size_t parts) {
  return test::error_of([&] {
    read_header_by(crew_of(parts), *test::source_of(header, data_bytes), {},
                   *std::pmr::get_default_resource());
  });
}

void expect_same_error(const std::string& header, std::uint64_t data_bytes, ErrorCode code) {
  const auto whole = error_in_parts(header, data_bytes, 1);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->code(), code);
  EXPECT_TRUE(test::same_error(error_in_parts(header, data_bytes, kParts), whole));
}

TEST(HeaderParts, AreAllReadFromTheirOwnPlaces) {
  std::vector<std::string> list = members(1000);
  list.insert(list.begin(), R"("__metadata__":{"format":"pt"})");
  const std::string header = header_of(list);
  std::size_t parts = 0;
  const auto read = scan(header, StreamWindow{}, {}, {}, counting(parts, crew_of(kParts)));
  EXPECT_EQ(parts, kParts);
  EXPECT_TRUE(read.quick.whole);
  EXPECT_EQ(read.quick.tiled, 1000U);
  ASSERT_EQ(read.data.tensors.size(), 1000U);
  EXPECT_EQ(read.data.name(999), "t.999");
  // Names of a part stand from its own place on, so nobody had to move them.
  EXPECT_LT(read.data.tensors[200].name.at, header.size() / 10);
  EXPECT_GT(read.data.tensors[999].name.at, header.size() / 2);
}

TEST(HeaderParts, AreOnlyMadeWhereTheyAreLongEnough) {
  const std::string header = header_of(members(100));
  std::size_t parts = 1;
  HeaderCrew crew = counting(parts, crew_of(kParts));
  crew.least_bytes = header.size() / 2 + 1;
  EXPECT_EQ(scan(header, StreamWindow{}, {}, {}, crew).data.tensors.size(), 100U);
  EXPECT_EQ(parts, 1U);
  crew.least_bytes = header.size() / 2;
  EXPECT_EQ(scan(header, StreamWindow{}, {}, {}, crew).data.tensors.size(), 100U);
  EXPECT_EQ(parts, 2U);
}

// The guess is the first one there is, and stands in the name; the part before ends behind it.
TEST(HeaderParts, DoNotCountWhereTheyBeginInAName) {
  for (std::size_t before = 0; before < 100; ++before) {
    std::vector<std::string> list = members(100);
    list[50] = entry(std::string(before, 'n') + "]},", "U8", {1}, 50, 51);
    list[51] = entry(std::string(1000, 'n') + "]}, ]},", "U8", {1}, 51, 52);
    EXPECT_TRUE(paths_agree(header_of(list))) << before;
  }
}

// A part that ends elsewhere than was guessed keeps to its own memory, whatever those behind it have read.
TEST(HeaderParts, DoNotTouchTheNamesOfOthers) {
  const auto long_name = [](std::uint64_t i) { return fmt::format("{:05}{}", i, std::string(2000, 'n')); };
  std::vector<std::string> list;
  for (std::uint64_t i = 0; i < 70; ++i) list.push_back(entry(long_name(i), "U8", {1}, i, i + 1));
  for (std::uint64_t i = 0; i < list.size(); ++i) {
    std::vector<std::string> changed = list;
    changed[i] = entry(long_name(i) + "},", "U8", {1}, i, i + 1);
    const std::string header = header_of(changed);
    const auto general = scan(header, std::nullopt);
    for (const auto order : {test::JobOrder::FirstFirst, test::JobOrder::LastFirst}) {
      const auto read = scan(header, kSmall, {}, {}, crew_of(7, order));
      ASSERT_TRUE(test::same_outcome(read, general)) << i;
    }
  }
}

TEST(HeaderParts, KeepWhatTheyTookInFrontOfAnOddEntry) {
  for (std::size_t odd = 0; odd < 100; odd += 7) {
    std::vector<std::string> list = members(100);
    list[odd] = entry("\\u0074", "U8", {1}, odd, odd + 1);
    EXPECT_TRUE(paths_agree(header_of(list))) << odd;
    list[odd] = "nonsense";
    EXPECT_TRUE(paths_agree(header_of(list))) << odd;
  }
}

TEST(HeaderParts, SeeHolesBetweenThem) {
  for (const std::uint64_t hole : {0U, 1U, 30U, 50U, 70U, 99U}) {
    std::vector<std::string> list = members(100);
    for (std::uint64_t i = hole; i < list.size(); ++i)
      list[i] = entry(fmt::format("t.{}", i), "U8", {1}, i + 1, i + 2);
    EXPECT_TRUE(paths_agree(header_of(list))) << hole;
    expect_same_error(header_of(list), 101, ErrorCode::InvalidOffset);
  }
}

TEST(HeaderParts, SeeANameThatStandsInTwoOfThem) {
  std::vector<std::string> list = members(100);
  list.back() = entry("t.3", "U8", {1}, 99, 100);
  expect_same_error(header_of(list), 100, ErrorCode::DuplicateKey);
}

TEST(HeaderParts, TakeDimensionsThatAreAllDifferent) {
  std::vector<std::string> list;
  for (std::uint64_t i = 0; i < 300; ++i)
    list.push_back(entry(fmt::format("t.{}", i), "U8", {i, 0, i + 1}, 0, 0));
  EXPECT_TRUE(paths_agree(header_of(list)));
}

// Each of them has room for its own dimensions; together they take more than there is.
TEST(HeaderParts, ShareTheRoomForDimensions) {
  std::vector<std::string> list;
  for (std::uint64_t i = 0; i < 700; ++i)
    list.push_back(entry(fmt::format("t.{}", i), "U8", Shape(200, i % 9), 0, 0));
  const std::string header = header_of(list);
  ASSERT_LT(header.size() / kParts * 4, std::size_t{1} << 20);
  expect_same_error(header, 0, ErrorCode::LimitExceeded);
}

TEST(HeaderParts, AgreeOnEveryDialectOfManyMembers) {
  std::string spaced = header_of(members(100));
  for (std::size_t at = 0; (at = spaced.find(':', at)) != std::string::npos; at += 2)
    spaced.insert(at + 1, " ");
  EXPECT_TRUE(paths_agree(spaced));
  for (std::size_t at = 0; (at = spaced.find(',', at)) != std::string::npos; at += 2)
    spaced.insert(at + 1, " ");
  EXPECT_TRUE(paths_agree(spaced));
  EXPECT_TRUE(paths_agree(header_of(members(100)) + std::string(500, ' ')));
  EXPECT_TRUE(paths_agree(header_of(members(100)) + std::string(500, ' ') + "x"));
}

}  // namespace
}  // namespace weighbridge
