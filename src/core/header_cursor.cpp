#include "core/header_cursor.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace weighbridge {
namespace {

// The value of each character as a hexadecimal digit, more than 16 bits where it is none.
constexpr std::uint32_t kNoDigit = 0x10000;
constexpr auto kHexDigits = [] {
  std::array<std::uint32_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 10; ++i) digits[std::size_t{'0'} + i] = i;
  for (std::uint8_t i = 10; i < 16; ++i) {
    digits[std::size_t{'a'} + i - 10] = i;
    digits[std::size_t{'A'} + i - 10] = i;
  }
  return digits;
}();

// The character that each two-character escape stands for; NUL where it is none.
constexpr auto kSimpleEscapes = [] {
  std::array<char, 256> characters{};
  characters['"'] = '"';
  characters['\\'] = '\\';
  characters['/'] = '/';
  characters['b'] = '\b';
  characters['f'] = '\f';
  characters['n'] = '\n';
  characters['r'] = '\r';
  characters['t'] = '\t';
  return characters;
}();

constexpr std::size_t index_of(char c) noexcept { return static_cast<unsigned char>(c); }

constexpr bool is_high_surrogate(std::uint32_t unit) noexcept { return unit >= 0xD800 && unit < 0xDC00; }
constexpr bool is_low_surrogate(std::uint32_t unit) noexcept { return unit >= 0xDC00 && unit < 0xE000; }

}  // namespace

void HeaderCursor::fail(std::uint64_t offset, std::string_view what) const {
  throw HeaderReport::make_error(ErrorCode::InvalidHeaderDeserialization, subject_, offset, what);
}

void HeaderCursor::fail_expected(std::string_view needed) const {
  if (at_end()) fail(offset(), fmt::format("expected {}, found the end of the header", needed));
  fail(offset(), fmt::format("expected {}, found '{}'", needed, printable({&text_[at_], 1})));
}

bool HeaderCursor::take_null() noexcept {
  skip_space();
  constexpr std::string_view kNull = "null";
  if (std::string_view(text_.data() + at_, text_.size() - at_).substr(0, kNull.size()) != kNull) return false;
  at_ += kNull.size();
  return true;
}

TextRange HeaderCursor::string(std::string_view needed) {
  expect('"', needed);
  const std::size_t start = at_;
  std::size_t out = at_ = plain_end(at_);
  while (peek() == '\\') {
    out = decode_escape(out);
    if (peek() == '\\') continue;
    const std::size_t plain = plain_length(text_.data() + at_);
    std::memmove(text_.data() + out, text_.data() + at_, plain);
    out += plain;
    at_ += plain;
  }
  if (peek() != '"') fail_expected("'\"' or an escaped control character in a string");
  ++at_;
  return {static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(out - start)};
}

// Reads one escape and writes what it stands for at `out`; gives the position behind that.
std::size_t HeaderCursor::decode_escape(std::size_t out) {
  ++at_;
  if (const char simple = kSimpleEscapes[index_of(peek())]) {
    ++at_;
    text_[out] = simple;
    return out + 1;
  }
  if (peek() != 'u') fail_expected("an escape that JSON knows behind '\\'");
  const std::uint32_t code_point = unicode_escape();
  return out + encode_utf8(code_point, &text_[out]);  // 6 characters or more stood there
}

std::uint32_t HeaderCursor::unicode_escape() {
  const std::uint64_t start = offset() - 1;
  const std::uint32_t unit = hex_unit();
  if (is_low_surrogate(unit)) fail(start, "a low surrogate stands without a high one in front");
  if (!is_high_surrogate(unit)) return unit;
  if (peek() != '\\') fail(start, "a high surrogate stands without a low one behind it");
  ++at_;
  if (peek() != 'u') fail(start, "a high surrogate stands without a low one behind it");
  const std::uint32_t low = hex_unit();
  if (!is_low_surrogate(low)) fail(start, "a high surrogate stands without a low one behind it");
  return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

// The four digits behind the 'u' where the cursor stands.
std::uint32_t HeaderCursor::hex_unit() {
  const auto digit = [this](std::size_t i) { return kHexDigits[index_of(text_.data()[at_ + i])]; };
  ++at_;
  const std::uint32_t unit = digit(0) << 12 | digit(1) << 8 | digit(2) << 4 | digit(3);
  if (unit < kNoDigit) {
    at_ += 4;
    return unit;
  }
  while (digit(0) != kNoDigit) ++at_;
  fail_expected("four hexadecimal digits behind '\\u'");
}

}  // namespace weighbridge
