#include "base/text.hpp"

#include <gtest/gtest.h>

namespace weighbridge {
namespace {

TEST(Printable, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(printable("model.layers.0.weight \xC3\xA9 \xE6\x97\xA5"),
            "model.layers.0.weight \xC3\xA9 \xE6\x97\xA5");
}

TEST(Printable, EscapesWhatSteersATerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\n\x7f"), "a\\x1b[31mb\\x0a\\x7f");
  EXPECT_EQ(printable("\xE2\x80\xAE"), "\\xe2\\x80\\xae");  // right-to-left override
  EXPECT_EQ(printable("\xC2\x9B"), "\\xc2\\x9b");           // C1 control sequence introducer
}

TEST(Printable, EscapesBytesThatAreNoUtf8) { EXPECT_EQ(printable("a\xFF\xC3z"), "a\\xff\\xc3z"); }

TEST(JsonString, EscapesAsTheReferenceDoes) {
  std::string out;
  append_json_string(out, "\"\\\b\f\n\r\t\x01\x7f\xE2\x80\xA8/");
  EXPECT_EQ(out, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\x7f\xE2\x80\xA8/\"");
}

TEST(JsonString, FindsWhatToEscapeAtEveryPlaceInLongText) {
  for (const char c : {'"', '\\', '\n', '\x1f', '\0', ' ', '!', '#', '[', ']', '\x7f', '\xc3'}) {
    const bool escaped = c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
    for (std::size_t at = 0; at < 20; ++at) {
      std::string text(20, 'a');
      text[at] = c;
      std::string out;
      append_json_string(out, text);
      EXPECT_EQ(out == '"' + text + '"', !escaped) << static_cast<int>(c) << " at " << at;
    }
  }
}

}  // namespace
}  // namespace weighbridge
