#include "core/header_cursor.hpp"

#include <cstring>
#include <string>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace weighbridge {
namespace {

// Sets the top bit of some byte exactly when one of the 8 is a quote, a backslash or a control
// character; borrows reach only bytes behind the first hit.
constexpr std::uint64_t special_bytes(std::uint64_t word) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kTops = 0x8080808080808080;
  const auto below = [word](std::uint64_t n) { return (word - kOnes * n) & ~word; };
  const auto equal = [word](std::uint64_t c) {
    const std::uint64_t diff = word ^ (kOnes * c);
    return (diff - kOnes) & ~diff;
  };
  return (below(0x20) | equal('"') | equal('\\')) & kTops;
}

constexpr bool is_special(char c) noexcept {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

constexpr int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The character that a two-character escape stands for; NUL when it is none.
constexpr char simple_escape(char c) noexcept {
  switch (c) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '/':
      return '/';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

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

// Where the run of characters that stand for themselves ends.
std::size_t HeaderCursor::plain_end(std::size_t from) const noexcept {
  while (text_.size() - from >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, &text_[from], sizeof word);
    if (special_bytes(word) != 0) break;
    from += sizeof word;
  }
  while (from < text_.size() && !is_special(text_[from])) ++from;
  return from;
}

TextRange HeaderCursor::string(std::string_view needed) {
  expect('"', needed);
  const std::size_t start = at_;
  std::size_t out = at_ = plain_end(at_);
  while (peek() == '\\') {
    out = decode_escape(out);
    const std::size_t end = plain_end(at_);
    std::memmove(text_.data() + out, text_.data() + at_, end - at_);
    out += end - at_;
    at_ = end;
  }
  if (peek() != '"') fail_expected("'\"' or an escaped control character in a string");
  ++at_;
  return {static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(out - start)};
}

// Reads one escape and writes what it stands for at `out`; gives the position behind that.
std::size_t HeaderCursor::decode_escape(std::size_t out) {
  ++at_;
  if (const char simple = simple_escape(peek())) {
    ++at_;
    text_[out] = simple;
    return out + 1;
  }
  if (peek() != 'u') fail_expected("an escape that JSON knows behind '\\'");
  std::string encoded;
  append_utf8(encoded, unicode_escape());
  std::memcpy(text_.data() + out, encoded.data(), encoded.size());
  return out + encoded.size();
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
  ++at_;
  std::uint32_t unit = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const int digit = hex_digit(peek());
    if (digit < 0) fail_expected("four hexadecimal digits behind '\\u'");
    unit = unit * 16 + static_cast<std::uint32_t>(digit);
  }
  return unit;
}

}  // namespace weighbridge
