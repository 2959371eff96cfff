#include "core/header_rename.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/endian.hpp"
#include "core/header_dsl.hpp"

namespace weighbridge {
namespace {

using Renames = std::vector<TensorRename>;

/// A header of that JSON, padded by so many spaces.
std::string header_of(const std::string& json, std::size_t spaces = 0) {
  std::string header(8, '\0');
  store_le<std::uint64_t>(header.data(), json.size() + spaces);
  return header + json + std::string(spaces, ' ');
}

std::string renamed(const std::string& json, const Renames& renames, std::size_t spaces = 0) {
  const std::string header = header_of(json, spaces);
  const std::string after = rename_in_header(test::bytes_of(header), renames);
  EXPECT_EQ(load_le<std::uint64_t>(after.data()), after.size() - 8);
  return after.substr(8);
}

TEST(RenameInHeader, ChangesNothingButANameOfTheSameLength) {
  EXPECT_EQ(renamed(R"({"a":1, "b" : {"a":2}})", {{"a", "x"}}, 3), R"({"x":1, "b" : {"a":2}}   )");
}

TEST(RenameInHeader, LeavesSpacesBehindTheEntryOfAShorterName) {
  EXPECT_EQ(renamed(R"({"long":1,"b":2})", {{"long", "l"}}), R"({"l":1   ,"b":2})");
}

TEST(RenameInHeader, TakesSpacesThatAreNearest) {
  EXPECT_EQ(renamed(R"({"a":1  ,"b":2,"c":3})", {{"b", "bcd"}}, 2), R"({"a":1,"bcd":2,"c":3}  )");
  EXPECT_EQ(renamed(R"({"a":1  ,"b":2,"c":3})", {{"c", "cde"}}, 2), R"({"a":1  ,"b":2,"cde":3})");
  EXPECT_EQ(renamed(R"({"a":1 ,"b":2,"c":3})", {{"b", "bcdef"}}, 5), R"({"a":1,"bcdef":2,"c":3}  )");
}

TEST(RenameInHeader, UsesTheSpacesOfNamesThatGetShorter) {
  EXPECT_EQ(renamed(R"({"a":1,"long":2,"c":3})", {{"a", "long"}, {"long", "a"}}),
            R"({"long":1,"a":2,"c":3})");
}

TEST(RenameInHeader, FindsNamesHoweverTheyAreWritten) {
  EXPECT_EQ(renamed(R"({"\u0061" : 1,"b":"}\"a"})", {{"a", "\n"}}), R"({"\n" : 1    ,"b":"}\"a"})");
}

TEST(RenameInHeader, GrowsByTheAlignmentThatTheHeaderHas) {
  const std::vector<TensorSpec> specs = {{"a", DType::U8, {1}}};
  const std::string name(100, 'x');
  for (const std::uint32_t alignment : {8U, 64U, 4096U}) {
    const std::string before = serialize_header(specs, std::nullopt, {.alignment = alignment}).bytes;
    const std::string after = rename_in_header(test::bytes_of(before), Renames{{"a", name}});
    EXPECT_EQ(after.size() > before.size(), alignment < 4096);
    EXPECT_EQ(after.size() % alignment, 0U);
    EXPECT_TRUE(parse_header(test::bytes_of(after), after.size() + 1).find(name));
  }
}

TEST(RenameInHeader, AnyRenamesGiveTheNamesAndKeepAllElse) {
  std::mt19937 random(12);
  const auto below = [&random](std::uint64_t n) { return random() % n; };
  std::vector<TensorSpec> specs;
  for (int i = 0; i < 12; ++i) specs.push_back({"tensor" + std::to_string(i), DType::U8, {3}});
  std::string header = serialize_header(specs, Metadata{{"k", "v"}}, {.slack = 90}).bytes;
  for (int round = 0; round < 300; ++round) {
    const Header before = parse_header(test::bytes_of(header), header.size() + 36);
    Renames renames;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (below(4) > 0) continue;
      renames.push_back({std::string(before.name(i)),
                         std::string(below(12), '"') + std::to_string(round) + "." + std::to_string(i)});
    }
    check_renames(before, renames);
    header = rename_in_header(test::bytes_of(header), renames);
    const Header after = parse_header(test::bytes_of(header), header.size() + 36);
    ASSERT_EQ(after.metadata(), before.metadata());
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto rename = std::ranges::find(renames, before.name(i), &TensorRename::from);
      ASSERT_EQ(after.name(i), rename == renames.end() ? before.name(i) : rename->to);
    }
  }
}

/// What is said of renames in a header with the tensors a, b and c.
std::string refusal(const Renames& renames) {
  const std::vector<TensorSpec> specs = {{"a", DType::U8, {1}}, {"b", DType::U8, {1}}, {"c", DType::U8, {1}}};
  const std::string header = serialize_header(specs).bytes;
  try {
    check_renames(parse_header(test::bytes_of(header), header.size() + 3), renames);
  } catch (const Error& error) {
    return std::string(error_code_name(error.code())) + ": " + error.what();
  }
  return "none";
}

TEST(CheckRenames, AllowsWhatEndsWithDifferentNames) {
  EXPECT_EQ(refusal({}), "none");
  EXPECT_EQ(refusal({{"a", "a"}}), "none");
  EXPECT_EQ(refusal({{"a", "b"}, {"b", "a"}}), "none");
  EXPECT_EQ(refusal({{"a", "b"}, {"b", "c"}, {"c", ""}}), "none");
}

TEST(CheckRenames, RefusesWhatNoHeaderCanHold) {
  EXPECT_THAT(refusal({{"z", "y"}}), ::testing::StartsWith("TensorNotFound: "));
  EXPECT_EQ(refusal({{"a", "b"}}), "NameCollision: tensors 'a' and 'b' would both be named 'b'");
  EXPECT_EQ(refusal({{"a", "x"}, {"b", "x"}}), "NameCollision: tensors 'a' and 'b' would both be named 'x'");
  EXPECT_EQ(refusal({{"b", "b"}, {"a", "b"}}), "NameCollision: tensors 'b' and 'a' would both be named 'b'");
  EXPECT_EQ(refusal({{"a", "x"}, {"a", "y"}}), "InvalidArgument: tensor 'a' is given two new names");
  EXPECT_EQ(refusal({{"a", "__metadata__"}}),
            "ReservedName: tensor 'a' cannot be named '__metadata__', which names the metadata");
  EXPECT_EQ(refusal({{"a", "\xFF"}}),
            R"(InvalidHeader: the new name of tensor 'a' is not valid UTF-8: '\xff')");
  EXPECT_THAT(refusal({{"__metadata__", "x"}}), ::testing::StartsWith("TensorNotFound: "));
}

}  // namespace
}  // namespace weighbridge
