#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "formats/pickle/fault.hpp"
#include "formats/pickle/literals.hpp"

namespace weighbridge::pickle {
namespace {

std::optional<unsigned> digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// Takes exactly `count` hexadecimal digits off the front of `text`.
std::uint32_t take_hex(std::string_view& text, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto digit = text.empty() ? std::nullopt : digit_value(text.front());
    if (!digit) malformed(fmt::format("holds an escape with fewer than {} hexadecimal digits", count));
    value = value * 16 + *digit;
    text.remove_prefix(1);
  }
  return value;
}

// Takes up to three octal digits; as in Python, only the low eight bits count.
char take_octal(std::string_view& text) {
  unsigned value = 0;
  for (int i = 0; i < 3 && !text.empty() && text.front() >= '0' && text.front() <= '7'; ++i) {
    value = value * 8 + static_cast<unsigned>(text.front() - '0');
    text.remove_prefix(1);
  }
  return static_cast<char>(value & 0xFF);
}

std::optional<char> simple_escape(char c) {
  constexpr std::string_view kNames = "\\'\"abfnrtv";
  constexpr std::string_view kValues = "\\'\"\a\b\f\n\r\t\v";
  const std::size_t at = kNames.find(c);
  if (at == std::string_view::npos) return std::nullopt;
  return kValues[at];
}

// `text` starts behind a backslash. Unknown escapes stand for themselves.
void take_escape(std::string_view& text, std::string& out) {
  if (text.empty()) malformed("holds a string that ends with a backslash");
  const char c = text.front();
  if (c >= '0' && c <= '7') {
    out.push_back(take_octal(text));
    return;
  }
  text.remove_prefix(1);
  if (c == 'x') {
    out.push_back(static_cast<char>(take_hex(text, 2)));
  } else if (const auto simple = simple_escape(c)) {
    out.push_back(*simple);
  } else {
    out.append({'\\', c});
  }
}

std::string_view strip_quotes(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\v\f");
  text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  const bool quoted =
      text.size() >= 2 && text.front() == text.back() && (text.front() == '\'' || text.front() == '"');
  if (!quoted) malformed("needs a string in quotes");
  return text.substr(1, text.size() - 2);
}

bool is_surrogate(std::uint32_t code_point) { return code_point >= 0xD800 && code_point <= 0xDFFF; }

void append_code_point(std::string& out, std::uint32_t code_point) {
  if (code_point > 0x10FFFF)
    malformed(fmt::format("holds the character {:#x}, the last one is 0x10ffff", code_point));
  if (!is_surrogate(code_point)) {
    append_utf8(out, code_point);
    return;
  }
  out.push_back('\xED');
  out.push_back(static_cast<char>(0x80 | ((code_point >> 6) & 0x3F)));
  out.push_back(static_cast<char>(0x80 | (code_point & 0x3F)));
}

bool starts_with_surrogate(std::string_view text) {
  return text.size() >= 3 && text[0] == '\xED' && static_cast<unsigned char>(text[1]) >= 0xA0 &&
         static_cast<unsigned char>(text[1]) <= 0xBF && (static_cast<unsigned char>(text[2]) & 0xC0) == 0x80;
}

}  // namespace

std::string parse_quoted(std::string_view text) {
  text = strip_quotes(text);
  std::string out;
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    text.remove_prefix(1);
    take_escape(text, out);
  }
  return out;
}

std::string parse_raw_unicode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    append_utf8(out, static_cast<unsigned char>(c));
    if (c != '\\' || text.empty()) continue;
    // A backslash and what follows go together, so that \\u0041 is no escape.
    const char next = text.front();
    text.remove_prefix(1);
    if (next == 'u' || next == 'U') {
      out.pop_back();
      append_code_point(out, take_hex(text, next == 'u' ? 4 : 8));
    } else {
      append_utf8(out, static_cast<unsigned char>(next));
    }
  }
  return out;
}

bool is_utf8_with_surrogates(std::string_view text) noexcept {
  while (const auto bad = find_invalid_utf8(text)) {
    text.remove_prefix(*bad);
    if (!starts_with_surrogate(text)) return false;
    text.remove_prefix(3);
  }
  return true;
}

}  // namespace weighbridge::pickle
