// What is accepted as a value that is skipped, and as an integer that is kept.
#include <weighbridge/header.hpp>

#include <gtest/gtest.h>

#include "core/header_dsl.hpp"

namespace weighbridge {
namespace {

std::string verdict_of_unknown(std::string_view value) {
  return test::verdict(
      fmt::format(R"({{"a":{{"dtype":"U8","x":{},"shape":[0],"data_offsets":[0,0]}}}})", value));
}

std::string verdict_of_dim(std::string_view dim) {
  return test::verdict(fmt::format(R"({{"a":{{"dtype":"U8","shape":[0,{}],"data_offsets":[0,0]}}}})", dim));
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

constexpr const char* kBad = "InvalidHeaderDeserialization";

TEST(SkippedValue, MayBeAnyJson) {
  for (const char* value : {"null", "true", "false", "0", "-0", "-1.5e-3", "1E+2", "0.0", "\"\"",
                            "\"\\u0000\"", "[]", "{}", "[[],{}]", R"({"a":{"b":[1,{"c":null}]},"a":2})",
                            " [ 1 , 2 ] ", "\t{ \"a\" : 1 }\n", "12345678901234567890123"}) {
    EXPECT_EQ(verdict_of_unknown(value), "OK") << value;
  }
}

TEST(SkippedValue, MustBeJson) {
  for (const char* value : {"",
                            "nul",
                            "nulL",
                            "True",
                            "01",
                            "-",
                            "1.",
                            ".5",
                            "1e",
                            "1e+",
                            "+1",
                            "0x1",
                            "NaN",
                            "Infinity",
                            "'a'",
                            "[1,]",
                            "[,]",
                            "[1 2]",
                            "[}",
                            "{]",
                            "{1:2}",
                            "{\"a\"}",
                            "{\"a\":}",
                            "{\"a\":1,}",
                            "\"a",
                            "\"\\x\"",
                            "\"\\u12g4\"",
                            "\"\\ud800\"",
                            "\"\\udc00\"",
                            "\"\\ud800\\u0041\"",
                            "\"\\ud800x\"",
                            "\"\t\"",
                            "[",
                            "[1",
                            "[[1]",
                            "--1"}) {
    EXPECT_EQ(verdict_of_unknown(value), kBad) << value;
  }
}

TEST(SkippedValue, IsAtMostAsDeepAsTheReferenceReads) {
  EXPECT_EQ(verdict_of_unknown(nested(125)), "OK");
  EXPECT_EQ(verdict_of_unknown(nested(126)), kBad);
  EXPECT_EQ(verdict_of_unknown(fmt::format("[{0},{0},{0}]", nested(124))), "OK");
  std::string objects = "1";
  for (int i = 0; i < 125; ++i) objects = fmt::format(R"({{"k":{}}})", objects);
  EXPECT_EQ(verdict_of_unknown(objects), "OK");
  EXPECT_EQ(verdict_of_unknown("[" + objects + "]"), kBad);
}

TEST(SkippedValue, NumbersFitADoubleOrAreTooSmallForIt) {
  const std::string zeros(400, '0');
  for (const std::string& value : {std::string("1e308"), std::string("1e-999"), std::string("0e999"),
                                   std::string("0.0e99999999999999999999"), "1" + zeros + "e-200",
                                   "0." + zeros + "1e100", "0." + zeros + "1e700", std::string(308, '9'),
                                   std::string("1e-99999999999999999999"), "-0." + zeros + "1e1"}) {
    EXPECT_EQ(verdict_of_unknown(value), "OK") << value;
  }
  for (const std::string& value :
       {std::string("1e309"), std::string("-1e309"), std::string("1e99999999999999999999"), "1" + zeros,
        "1" + zeros + "e-50", "1" + zeros + ".5", "0." + zeros + "1e800"}) {
    EXPECT_EQ(verdict_of_unknown(value), kBad) << value;
  }
}

TEST(KeptInteger, IsPlainDigitsWithin64Bits) {
  for (const char* dim : {"0", "1", " 7 ", "18446744073709551615"})
    EXPECT_EQ(verdict_of_dim(dim), "OK") << dim;
  for (const char* dim : {"-1", "-0", "+1", "01", "00", "1.0", "1e2", "\"1\"", "null", "true", "[1]", "",
                          "18446744073709551616", "99999999999999999999", "0x1"}) {
    EXPECT_EQ(verdict_of_dim(dim), kBad) << dim;
  }
}

}  // namespace
}  // namespace weighbridge
