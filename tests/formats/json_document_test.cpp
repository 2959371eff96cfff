#include <weighbridge/error.hpp>

#include <gtest/gtest.h>

#include "formats/json/document.hpp"

namespace weighbridge::json {
namespace {

ErrorCode code_of(std::string_view text, const Bounds& bounds = {}) {
  try {
    parse(text, "the text", bounds);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::IoError;
}

TEST(JsonDocument, KeepsValuesAndOrder) {
  const Document document = parse(R"({"b": [1, -2.5, "x"], "a": null, "c": true})", "the text");
  const Node b = document.first(0);
  EXPECT_EQ(document.key(b), "b");
  const Node one = document.first(b);
  EXPECT_EQ(document.integer(one), 1);
  EXPECT_EQ(document.real(document.next(one)), -2.5);
  EXPECT_EQ(document.string(document.next(document.next(one))), "x");
  EXPECT_EQ(document.key(document.next(b)), "a");
  EXPECT_EQ(document.kind(document.find(0, "a")), Kind::Null);
  EXPECT_TRUE(document.boolean(document.find(0, "c")));
  EXPECT_EQ(document.find(0, "d"), kNone);
  EXPECT_EQ(document.find(b, "0"), kNone);
}

TEST(JsonDocument, TellsIntegersFromReals) {
  const Document document = parse("[9223372036854775807, -9223372036854775808, 1.0]", "the text");
  const Node first = document.first(0);
  EXPECT_EQ(document.integer(first), INT64_MAX);
  EXPECT_EQ(document.integer(document.next(first)), INT64_MIN);
  EXPECT_EQ(document.kind(document.next(document.next(first))), Kind::Real);
}

TEST(JsonDocument, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":1,}", "nan", "[1] 2", "\"\\ud800\"", "\"\xFF\"", "'a'"}) {
    EXPECT_EQ(code_of(text), ErrorCode::MalformedCheckpoint) << text;
  }
}

TEST(JsonDocument, RefusesRepeatedKeysAndNumbersBeyond64Bits) {
  EXPECT_EQ(code_of(R"({"a": 1, "b": {"c": 1, "c": 2}})"), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(code_of("18446744073709551615"), ErrorCode::MalformedCheckpoint);
}

TEST(JsonDocument, BoundsDepthWithoutRecursion) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(code_of(deep), ErrorCode::LimitExceeded);
  EXPECT_NO_THROW(parse(deep, "the text", {.values = 1'000'000, .depth = 100'000}));
}

TEST(JsonDocument, BoundsTheNumberOfValues) {
  EXPECT_EQ(code_of("[1,2,3]", {.values = 3}), ErrorCode::LimitExceeded);
  EXPECT_NO_THROW(parse("[1,2]", "the text", {.values = 3}));
}

}  // namespace
}  // namespace weighbridge::json
