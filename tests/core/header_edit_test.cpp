#include "core/header_edit.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/endian.hpp"
#include "core/header_dsl.hpp"

namespace weighbridge {
namespace {

/// A header of that JSON, padded by so many spaces.
std::string header_of(const std::string& json, std::size_t spaces = 0) {
  std::string header(8, '\0');
  store_le<std::uint64_t>(header.data(), json.size() + spaces);
  return header + json + std::string(spaces, ' ');
}

std::string edit(const std::string& header, const Metadata& metadata, std::uint64_t slack = 0) {
  return header_with_metadata(test::bytes_of(header), metadata, slack);
}

std::string json_after(const std::string& json, std::size_t spaces, const Metadata& metadata) {
  return edit(header_of(json, spaces), metadata).substr(8);
}

TEST(EditHeader, KeepsEverythingBehindMetadataOfTheSameSize) {
  const std::string before =
      R"({"__metadata__":{"k":"old"},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})";
  const std::string after =
      R"({"__metadata__":{"k":"new"},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})";
  EXPECT_EQ(json_after(before, 3, {{"k", "new"}}), after + "   ");
}

TEST(EditHeader, LeavesSpacesBehindShorterMetadataAndUsesThemAgain) {
  const std::string before = R"({"__metadata__":{"k":"long"},"a" : 1})";
  const std::string after = R"({"__metadata__":{}          ,"a" : 1})";
  EXPECT_EQ(json_after(before, 0, {}), after);
  EXPECT_EQ(json_after(after, 0, {{"k", "long"}}), before);
}

TEST(EditHeader, MovesThePaddingBehindTheMetadata) {
  EXPECT_EQ(json_after(R"({"__metadata__":{"k":"v"},"a":1})", 8, {{"k", "value"}}),
            R"({"__metadata__":{"k":"value"}    ,"a":1})");
}

TEST(EditHeader, AddsMetadataInFront) {
  EXPECT_EQ(json_after(R"({"a":1})", 40, {{"k", "v"}}),
            R"({"__metadata__":{"k":"v"})" + std::string(15, ' ') + R"(,"a":1})");
  EXPECT_EQ(json_after("{}", 40, {{"k", "v"}}), R"({"__metadata__":{"k":"v"})" + std::string(16, ' ') + "}");
}

TEST(EditHeader, FindsMetadataWhereverAndHoweverTheyStand) {
  EXPECT_EQ(
      json_after(R"({"a":"}\"{" , "\u005f_metadata__" : null , "b":[{"__metadata__":2}]} )", 0, {{"k", "v"}}),
      R"({"a":"}\"{" , "__metadata__":{"k":"v"}   , "b":[{"__metadata__":2}]} )");
}

TEST(EditHeader, GrowsByTheAlignmentThatTheHeaderHas) {
  const Metadata metadata = {{"key", "a value for which there is no room"}};
  for (const std::uint32_t alignment : {8U, 64U, 4096U}) {
    const std::vector<TensorSpec> specs = {{"a", DType::U8, {1}}};
    const std::string before = serialize_header(specs, std::nullopt, {.alignment = alignment}).bytes;
    const std::string after = edit(before, metadata, before.size());
    EXPECT_GT(after.size(), before.size());
    EXPECT_EQ(after.size() % alignment, 0U);
    EXPECT_EQ(parse_header(test::bytes_of(after), after.size() + 1).metadata(), metadata);
  }
}

TEST(EditHeader, KeepsTheSlackAskedForBehindTheMetadata) {
  const std::string before = header_of(R"({"a":1})", 1);
  const std::string after = edit(before, {{"k", "v"}}, 100);
  EXPECT_THAT(after.substr(8),
              ::testing::MatchesRegex(R"re(\{"__metadata__":\{"k":"v"\} {100,107},"a":1\})re"));
  EXPECT_EQ(edit(after, {{"k", std::string(90, 'x')}}, 0).size(), after.size());
}

TEST(EditHeader, RefusesWhatNoHeaderCanHold) {
  const auto code_of = [](const Metadata& metadata, std::uint64_t slack) {
    try {
      edit(header_of("{}"), metadata, slack);
    } catch (const Error& error) {
      return error_code_name(error.code());
    }
    return std::string_view("none");
  };
  EXPECT_EQ(code_of({{"k", "\xFF"}}, 0), "InvalidHeader");
  EXPECT_EQ(code_of({}, 100'000'000), "HeaderTooLarge");
  EXPECT_EQ(code_of({}, UINT64_MAX), "HeaderTooLarge");
}

TEST(EditHeader, AnyEditKeepsTheTensorsAndGivesTheMetadata) {
  std::mt19937 random(11);
  const auto below = [&random](std::uint64_t n) { return random() % n; };
  const std::vector<TensorSpec> specs = {{"\"quoted\"\n", DType::F32, {2, 2}},
                                         {"__metadata_", DType::U8, {3}}};
  std::string header = serialize_header(specs, std::nullopt, {.slack = 50}).bytes;
  for (int i = 0; i < 300; ++i) {
    Metadata metadata;
    while (below(3) > 0) {
      metadata[std::string(below(20), '"')] = std::string(below(60), static_cast<char>(below(128)));
    }
    const Header before = parse_header(test::bytes_of(header), header.size() + 19);
    header = edit(header, metadata, below(30));
    const Header after = parse_header(test::bytes_of(header), header.size() + 19);
    ASSERT_EQ(after.metadata(), metadata);
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t k = 0; k < after.size(); ++k) {
      ASSERT_EQ(after[k].name, before[k].name);
      ASSERT_EQ(after[k].dtype, before[k].dtype);
      ASSERT_EQ(after[k].begin, before[k].begin);
      ASSERT_EQ(after[k].end, before[k].end);
      ASSERT_TRUE(std::ranges::equal(after[k].shape, before[k].shape));
    }
  }
}

}  // namespace
}  // namespace weighbridge
