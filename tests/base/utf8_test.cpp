#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace weighbridge {
namespace {

TEST(Utf8, AcceptsTheEdgesOfEveryLength) {
  for (const char* text : {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                           "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(find_invalid_utf8(text), std::nullopt) << text;
  }
}

TEST(Utf8, RefusesOverlongSurrogatesAndBeyondUnicode) {
  for (const char* text : {"\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\x80"}) {
    EXPECT_EQ(find_invalid_utf8(text), 0U) << text;
  }
}

TEST(Utf8, RefusesTruncatedSequencesAtTheirStart) {
  EXPECT_EQ(find_invalid_utf8("abcdefghi\xE2\x82"), 9U);
  EXPECT_EQ(find_invalid_utf8("abcdefghijk\xC3"), 11U);
}

TEST(Utf8, AppendsWhatItAccepts) {
  std::string text;
  for (const std::uint32_t point : {0x24U, 0xA3U, 0x20ACU, 0x10348U}) append_utf8(text, point);
  EXPECT_EQ(text, "$\xC2\xA3\xE2\x82\xAC\xF0\x90\x8D\x88");
}

}  // namespace
}  // namespace weighbridge
