#include <weighbridge/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/sharded/index.hpp"

namespace weighbridge::sharded {
namespace {

using testing::ElementsAre;

SourcePtr source_of(std::string text) { return memory_source(Buffer::take(std::move(text))); }

Error error_of(const std::string& text, const Limits& limits = {}) {
  try {
    parse_index(*source_of(text), limits);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::IoError, ""};
}

TEST(ShardIndex, MapsTensorsToFilesInOrderOfTheirNames) {
  const Index index =
      parse_index(*source_of(R"({"metadata": {}, "weight_map": {"x": "b", "y": "a", "z": "b"}})"), {});
  EXPECT_THAT(index.files, ElementsAre("a", "b"));
  EXPECT_EQ(index.owner.at("x"), 1U);
  EXPECT_EQ(index.owner.at("y"), 0U);
}

TEST(ShardIndex, IsToldByItsStart) {
  EXPECT_TRUE(looks_like_index(*source_of(R"({"weight_map": {}})")));
  EXPECT_FALSE(looks_like_index(*source_of(R"({"weights": {}})")));
  EXPECT_FALSE(looks_like_index(*source_of(R"([{"weight_map": {}}])")));
  EXPECT_FALSE(looks_like_index(*source_of("")));
}

TEST(ShardIndex, RefusesFilesElsewhere) {
  for (const char* name : {"/etc/passwd", "a/../../b", "..", ".", "", "a/b", "a\\\\b", "a\\u0000b"}) {
    const Error error = error_of(std::string(R"({"weight_map": {"w": ")") + name + "\"}}");
    EXPECT_EQ(error.code(), ErrorCode::MalformedCheckpoint) << name;
    EXPECT_EQ(error.subject(), "w");
  }
}

TEST(ShardIndex, RefusesOtherShapes) {
  for (const char* text : {"[]", "{}", R"({"weight_map": []})", R"({"weight_map": {"w": 1}})",
                           R"({"weight_map": {"w": "a", "w": "b"}})", R"({"weight_map": {"w": "a")"}) {
    EXPECT_EQ(error_of(text).code(), ErrorCode::MalformedCheckpoint) << text;
  }
}

TEST(ShardIndex, IsBounded) {
  Limits limits;
  limits.tensors = 1;
  EXPECT_EQ(error_of(R"({"weight_map": {"v": "a", "w": "a"}})", limits).code(), ErrorCode::LimitExceeded);
  limits.header_bytes = 10;
  EXPECT_EQ(error_of(R"({"weight_map": {}})", limits).code(), ErrorCode::LimitExceeded);
}

TEST(ShardIndex, IsWrittenAsTransformersDoes) {
  EXPECT_EQ(serialize_index({.files = {"m-1", "m-2"}, .owner = {{"b", 1}, {"a\"", 0}}}, 12),
            "{\n  \"metadata\": {\n    \"total_size\": 12\n  },\n  \"weight_map\": {\n"
            "    \"a\\\"\": \"m-1\",\n    \"b\": \"m-2\"\n  }\n}\n");
  const Index none = parse_index(*source_of(serialize_index({}, 0)), {});
  EXPECT_TRUE(none.owner.empty());
}

}  // namespace
}  // namespace weighbridge::sharded
