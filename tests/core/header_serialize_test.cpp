#include <weighbridge/header.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/header_dsl.hpp"

namespace weighbridge {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string json_of(const SerializedHeader& header) { return header.bytes.substr(8); }

ErrorCode code_of(std::span<const TensorSpec> specs, const std::optional<Metadata>& metadata = std::nullopt,
                  const HeaderStyle& style = {}) {
  const auto error = error_of([&] { serialize_header(specs, metadata, style); });
  return error ? error->code() : ErrorCode::Cancelled;
}

TEST(SerializeHeader, OrdersByDtypeDescendingThenByName) {
  const std::vector<TensorSpec> specs = {
      {"z", DType::U8, {3}}, {"b", DType::F32, {2}}, {"a", DType::F32, {}}, {"y", DType::I64, {1, 0}}};
  const SerializedHeader header = serialize_header(specs);
  EXPECT_THAT(header.order, ElementsAre(3, 2, 1, 0));
  EXPECT_THAT(header.data_offsets, ElementsAre(0, 0, 4, 12));
  EXPECT_EQ(header.data_bytes, 15U);
  EXPECT_THAT(json_of(header), StartsWith(R"({"y":{"dtype":"I64","shape":[1,0],"data_offsets":[0,0]},)"
                                          R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                                          R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},)"
                                          R"("z":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}})"));
}

TEST(SerializeHeader, WritesMetadataFirstAndByKey) {
  const std::vector<TensorSpec> specs = {{"a", DType::U8, {1}}};
  EXPECT_THAT(json_of(serialize_header(specs, Metadata{{"k\n", "\x01"}, {"format", "pt"}})),
              StartsWith(R"({"__metadata__":{"format":"pt","k\n":"\u0001"},"a":{)"));
}

TEST(SerializeHeader, NoTensorsIsAValidFile) {
  EXPECT_EQ(json_of(serialize_header({})), "{}      ");
  const std::string bytes = serialize_header({}, Metadata{}).bytes;
  EXPECT_EQ(bytes.substr(8), R"({"__metadata__":{}}     )");
  EXPECT_TRUE(parse_header(test::bytes_of(bytes), bytes.size()).has_metadata());
}

TEST(SerializeHeader, StartsTheDataAtTheAlignment) {
  const std::vector<TensorSpec> specs = {{"a", DType::U8, {1}}};
  for (const std::uint32_t alignment : {8U, 64U, 256U, 4096U}) {
    const std::string bytes = serialize_header(specs, std::nullopt, {.alignment = alignment}).bytes;
    EXPECT_EQ(bytes.size() % alignment, 0U);
    EXPECT_EQ(load_le<std::uint64_t>(bytes.data()), bytes.size() - 8);
    EXPECT_EQ(parse_header(test::bytes_of(bytes), bytes.size() + 1).data_begin(), bytes.size());
  }
}

TEST(SerializeHeader, KeepsSlackAsSpaces) {
  const std::string bytes = serialize_header({}, std::nullopt, {.slack = 100}).bytes;
  EXPECT_EQ(bytes.size(), 112U);  // 8 + "{}" + 100, rounded up
  EXPECT_EQ(bytes.find_last_not_of(' '), 9U);
  const std::vector<TensorSpec> specs = {{"a", DType::U8, {1}}};
  EXPECT_THAT(json_of(serialize_header(specs, Metadata{{"k", "v"}}, {.slack = 5})),
              StartsWith(R"({"__metadata__":{"k":"v"}     ,"a":{)"));
}

TEST(SerializeHeader, RefusesStylesThatTheFormatHasNot) {
  for (const std::uint32_t alignment : {0U, 1U, 4U, 24U, 8192U}) {
    EXPECT_EQ(code_of({}, std::nullopt, {.alignment = alignment}), ErrorCode::InvalidArgument);
  }
}

TEST(SerializeHeader, RefusesHeadersAboveTheCap) {
  EXPECT_EQ(serialize_header({}, std::nullopt, {.slack = 99'999'998}).bytes.size(), 100'000'008U);
  EXPECT_EQ(code_of({}, std::nullopt, {.slack = 99'999'999}), ErrorCode::HeaderTooLarge);
  EXPECT_EQ(code_of({}, std::nullopt, {.slack = UINT64_MAX}), ErrorCode::HeaderTooLarge);
}

TEST(SerializeHeader, RefusesNamesThatCannotBeReadBack) {
  EXPECT_EQ(code_of(std::vector<TensorSpec>{{"__metadata__", DType::U8, {1}}}), ErrorCode::ReservedName);
  EXPECT_EQ(code_of(std::vector<TensorSpec>{{"a\xFF", DType::U8, {1}}}), ErrorCode::InvalidHeader);
  EXPECT_EQ(code_of({}, Metadata{{"k", "\xC0\xAF"}}), ErrorCode::InvalidHeader);
}

TEST(SerializeHeader, RefusesANameGivenTwiceEvenToDifferentDtypes) {
  const std::vector<TensorSpec> specs = {
      {"a", DType::U8, {1}}, {"m", DType::F16, {1}}, {"a", DType::F32, {1}}};
  const auto error = error_of([&] { serialize_header(specs); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::DuplicateKey);
  EXPECT_EQ(error->subject(), "a");
}

TEST(SerializeHeader, NamesTheTensorWhoseSizeIsImpossible) {
  const auto overflow =
      error_of([] { serialize_header(std::vector<TensorSpec>{{"big", DType::F32, {UINT64_MAX, 2}}}); });
  ASSERT_TRUE(overflow);
  EXPECT_EQ(overflow->code(), ErrorCode::ValidationOverflow);
  EXPECT_THAT(overflow->what(), HasSubstr("tensor 'big'"));
  EXPECT_EQ(code_of(std::vector<TensorSpec>{{"odd", DType::F4, {3}}}), ErrorCode::MisalignedSlice);
}

TEST(SerializeHeader, RefusesADataSectionBeyond64Bits) {
  std::vector<TensorSpec> specs;
  for (int i = 0; i < 9; ++i) specs.push_back({std::to_string(i), DType::U8, {std::uint64_t{1} << 60}});
  EXPECT_EQ(serialize_header(specs).data_bytes, 9 * (std::uint64_t{1} << 60));
  for (int i = 9; i < 17; ++i) specs.push_back({std::to_string(i), DType::U8, {std::uint64_t{1} << 60}});
  EXPECT_EQ(code_of(specs), ErrorCode::ValidationOverflow);
}

}  // namespace
}  // namespace weighbridge
