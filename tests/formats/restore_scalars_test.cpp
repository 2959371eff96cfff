#include <bit>
#include <cmath>

#include <gtest/gtest.h>

#include "formats/restore/scalars.hpp"

namespace weighbridge::restore {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

TEST(RestoreScalars, DecodeBase64Strictly) {
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("YWI="), "ab");
  EXPECT_EQ(decode_base64("YWJj"), "abc");
  EXPECT_EQ(decode_base64("/w=="), "\xFF");
  for (const char* text : {"YWI", "YWI=YWI=", "YW I", "YW-_", "====", "YWJ=", "=", "Y==="}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

TEST(RestoreScalars, TakeForTextOnlyWhatPythonWould) {
  EXPECT_EQ(decode_text("7aCA"), "\xED\xA0\x80");
  EXPECT_EQ(decode_text("YWI="), "ab");
  EXPECT_EQ(decode_text("8aCA"), std::nullopt);
  EXPECT_EQ(decode_text("/w=="), std::nullopt);
}

TEST(RestoreScalars, ParseFloatsThatJsonHasNot) {
  EXPECT_TRUE(std::isnan(parse_float("nan").value()));
  EXPECT_EQ(parse_float("-inf"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::signbit(parse_float("-0").value()));
  EXPECT_EQ(std::bit_cast<std::uint64_t>(parse_float("nan:fff8000000000001").value()), 0xFFF8000000000001U);
  for (const char* text : {"", "1", "NaN", "nan:", "nan:12", "nan:xxxxxxxxxxxxxxxx"}) {
    EXPECT_EQ(parse_float(text), std::nullopt) << text;
  }
}

TEST(RestoreScalars, ParseIntegersOfAnySize) {
  EXPECT_EQ(parse_integer("0"), bytes({0}));
  EXPECT_EQ(parse_integer("-1"), bytes({0xFF}));
  EXPECT_EQ(parse_integer("128"), bytes({0x80, 0}));
  EXPECT_EQ(parse_integer("-9223372036854775808"), bytes({0, 0, 0, 0, 0, 0, 0, 0x80}));
  EXPECT_EQ(parse_integer("0x010000000000000000"), bytes({0, 0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(parse_integer("-0x010000000000000000"), bytes({0, 0, 0, 0, 0, 0, 0, 0, 0xFF}));
  EXPECT_EQ(parse_integer("0xff"), bytes({0xFF, 0}));
  EXPECT_EQ(parse_integer("0x0"), bytes({0}));
  EXPECT_EQ(parse_integer("-0x0"), bytes({0}));
  for (const char* text : {"", "-", "0x", "0xg0", "0x-1", "1.5", "99999999999999999999", " 1"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

TEST(RestoreScalars, WriteBytesAsLatin1) { EXPECT_EQ(latin1_text("a\xE9"), "a\xC3\xA9"); }

}  // namespace
}  // namespace weighbridge::restore
