#include <weighbridge/header.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/header_dsl.hpp"

namespace weighbridge {
namespace {

using test::codes_of;
using test::entry;
using test::header_of;
using test::source_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Findings findings(std::string_view header, std::uint64_t data_bytes = 0, const Limits& limits = {}) {
  return validate_header(*source_of(header, data_bytes), limits);
}

std::vector<std::string> errors(std::string_view header, std::uint64_t data_bytes = 0) {
  return codes_of(findings(header, data_bytes), Severity::Error);
}

std::vector<std::string> warnings(std::string_view header, std::uint64_t data_bytes = 0) {
  return codes_of(findings(header, data_bytes), Severity::Warning);
}

TEST(ValidateHeader, FindsNothingInWhatTheWriterWrites) {
  const std::vector<TensorSpec> specs = {{"a", DType::F32, {2}}, {"b", DType::F4, {2, 4}}};
  SerializedHeader header = serialize_header(specs, Metadata{{"format", "pt"}});
  const auto source = memory_source(Buffer::take(header.bytes + std::string(header.data_bytes, '\0')));
  EXPECT_THAT(validate_header(*source), IsEmpty());
}

TEST(ValidateHeader, ReportsEveryTensorThatIsWrongInOrderOfPlace) {
  const std::string header = header_of({entry("backwards", "U8", {1}, 9, 8), entry("size", "F32", {2}, 0, 4),
                                        entry("odd", "F4", {1}, 4, 5), entry("hole", "U8", {1}, 6, 7),
                                        entry("huge", "U8", {UINT64_MAX, 3}, 7, 8)});
  EXPECT_THAT(errors(header, 9), ElementsAre("MetadataIncompleteBuffer", "InvalidOffset", "TensorInvalidInfo",
                                             "MisalignedSlice", "InvalidOffset", "ValidationOverflow"));
}

TEST(ValidateHeader, GoesOnBehindAHoleAndAnOverlap) {
  const std::string header = header_of({entry("a", "U8", {2}, 0, 2), entry("b", "U8", {2}, 1, 3),
                                        entry("c", "U8", {2}, 3, 5), entry("d", "U8", {1}, 6, 7)});
  const Findings found = findings(header, 7);
  EXPECT_THAT(codes_of(found, Severity::Error), ElementsAre("InvalidOffset", "InvalidOffset"));
}

TEST(ValidateHeader, DoesNotBlameTheLayoutWhenATensorCouldNotBeRead) {
  const std::string header = header_of({entry("a", "I4", {2}, 0, 1), entry("b", "U8", {1}, 1, 2),
                                        R"("c":{"shape":[]})", entry("d", "U8", {1}, 9, 10)});
  const Findings found = findings(header, 2);
  ASSERT_THAT(codes_of(found, Severity::Error),
              ElementsAre("InvalidHeaderDeserialization", "InvalidHeaderDeserialization",
                          "InvalidHeaderDeserialization"));
  EXPECT_THAT(found[1].message, HasSubstr("tensor 'a': dtype 'I4' is none of BOOL, F4, "));
  EXPECT_THAT(found[2].message, HasSubstr("tensor 'c': the field 'data_offsets' is missing"));
  EXPECT_THAT(found[3].message, HasSubstr("tensor 'c': the field 'dtype' is missing"));
}

TEST(ValidateHeader, ReportsDuplicatesOfEveryKind) {
  const std::string header = R"({"__metadata__":{"k":"1","k":"2"},"__metadata__":{},)" +
                             entry("a", "U8", {1}, 0, 1) + "," + entry("a", "U8", {1}, 1, 2) +
                             R"(,"b":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[2,3]}})";
  EXPECT_THAT(errors(header, 3), ElementsAre("DuplicateKey", "DuplicateKey", "DuplicateKey", "DuplicateKey"));
}

TEST(ValidateHeader, ASyntaxErrorEndsTheList) {
  const std::string header = "{" + entry("a", "I4", {1}, 0, 1) + "," + entry("b", "U8", {1}, 1, 2) + ",}";
  const Findings found = findings(header, 2);
  EXPECT_THAT(codes_of(found, Severity::Error),
              ElementsAre("InvalidHeaderDeserialization", "InvalidHeaderDeserialization"));
  EXPECT_THAT(found.back().message, HasSubstr("expected a tensor name in quotes, found '}'"));
}

TEST(ValidateHeader, WarnsOfWhatIsLegalAndOdd) {
  const std::string unknown = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"scale":[1.5]}})";
  EXPECT_THAT(warnings(unknown, 1), ElementsAre("UnalignedData", "UnknownField"));
  EXPECT_THAT(errors(unknown, 1), IsEmpty());
  EXPECT_THAT(warnings("{}\n     "), ElementsAre("OddPadding"));
  EXPECT_THAT(warnings("{}      "), IsEmpty());
  EXPECT_THAT(warnings("{}"), ElementsAre("UnalignedData"));
}

TEST(ValidateHeader, KeepsAFewOfEachKindAndCountsTheRest) {
  std::vector<std::string> members;
  for (int i = 0; i < 10; ++i) members.push_back(entry(std::to_string(i), "X1", {1}, 0, 1));
  members.push_back(R"("u":{"x":0,"y":0,"z":0,"dtype":"U8","shape":[1],"data_offsets":[0,1]})");
  Limits limits;
  limits.findings = 2;
  const Findings found = findings(header_of(members), 1, limits);
  std::vector<std::string> summaries;
  for (const Finding& finding : found) {
    if (!finding.offset) {
      summaries.push_back(
          fmt::format("{} {} {}", severity_name(finding.severity), finding.code, finding.message));
    }
  }
  EXPECT_THAT(summaries, ElementsAre("error InvalidHeaderDeserialization ... and 8 more",
                                     "warning UnknownField ... and 1 more"));
  EXPECT_EQ(found.size(), 7U);
}

TEST(ValidateHeader, ReportsFilesWithoutAHeader) {
  const auto empty = memory_source(Buffer());
  EXPECT_THAT(codes_of(validate_header(*empty), Severity::Error), ElementsAre("HeaderTooSmall"));
}

}  // namespace
}  // namespace weighbridge
