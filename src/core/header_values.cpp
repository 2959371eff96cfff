// Numbers, and values that are checked and skipped: the second half of HeaderCursor.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "core/header_cursor.hpp"
#include "core/header_pieces.hpp"

namespace weighbridge {
namespace {

// The reference allows 127 levels in all; the header and the tensor's entry are two of them.
constexpr std::size_t kDeepestValue = 125;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::uint64_t saturating_number(std::string_view digits) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc{} ? value : std::numeric_limits<std::uint64_t>::max();
}

// Whether a valid number, known not to be near 1, is large rather than small: compares the decimal
// exponent with the place of the first digit that is not zero.
bool is_large(std::string_view number) noexcept {
  const std::size_t exponent_at = number.find_first_of("eE");
  const std::string_view mantissa = number.substr(0, exponent_at);
  std::string_view exponent = exponent_at == number.npos ? "0" : number.substr(exponent_at + 1);
  const bool negative = exponent.front() == '-';
  if (negative || exponent.front() == '+') exponent.remove_prefix(1);
  const std::uint64_t shift = saturating_number(exponent);

  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first < point) return !negative || shift < point - first;
  return !negative && shift > first - point;
}

bool overflows_double(std::string_view number) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  return error == std::errc::result_out_of_range && is_large(number);
}

}  // namespace

std::uint64_t HeaderCursor::integer(std::string_view needed) {
  skip_space();
  HeaderPieces usual(text_.data() + at_);
  if (std::uint64_t value = 0; usual.take_large_number(value)) {
    at_ = static_cast<std::size_t>(usual.at() - text_.data());
    return value;
  }
  return unusual_integer(needed);
}

// One of twenty digits, or what is wrong.
std::uint64_t HeaderCursor::unusual_integer(std::string_view needed) {
  const std::size_t start = at_;
  const std::uint64_t start_offset = offset();
  if (!is_digit(peek())) fail_expected(needed);
  std::uint64_t value = 0;
  for (; is_digit(peek()); ++at_) {
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, static_cast<std::uint64_t>(peek() - '0'), &value)) {
      fail(start_offset, fmt::format("expected {}, found one that does not fit 64 bits", needed));
    }
  }
  if (text_[start] == '0' && at_ - start > 1) {
    fail(start_offset, fmt::format("expected {}, found one with a leading zero", needed));
  }
  return value;
}

// Each turn takes a scalar, an empty container, or the opening of a container with content.
void HeaderCursor::skip_value() {
  std::array<char, kDeepestValue> closers{};
  std::size_t depth = 0;
  do {
    if (depth > 0 && closers[depth - 1] == ']') skip_usual_integers();
    skip_space();
    bool opened = false;
    if (peek() == '[' || peek() == '{') {
      if (depth == kDeepestValue) fail(offset(), fmt::format("nested deeper than {} levels", kDeepestValue));
      const char closer = closers[depth] = peek() == '[' ? ']' : '}';
      ++at_;
      opened = !take(closer);
      if (opened) ++depth;
    } else {
      skip_scalar();
    }
    if (!opened) {
      while (depth > 0 && !more(closers[depth - 1])) --depth;
    }
    if (depth > 0 && closers[depth - 1] == '}') skip_key();
  } while (depth > 0);
}

void HeaderCursor::skip_key() {
  string("a string as a key");
  expect(':', "':' behind a key");
}

void HeaderCursor::skip_scalar() {
  switch (peek()) {
    case '"':
      string("a string");
      return;
    case 't':
      skip_word("true");
      return;
    case 'f':
      skip_word("false");
      return;
    case 'n':
      skip_word("null");
      return;
    default:
      skip_number();
      return;
  }
}

void HeaderCursor::skip_word(std::string_view word) {
  for (const char c : word) {
    if (peek() != c) fail_expected(fmt::format("'{}'", word));
    ++at_;
  }
}

void HeaderCursor::skip_number() {
  const std::size_t start = at_;
  const std::uint64_t start_offset = offset();
  if (peek() == '-') ++at_;
  const bool zero_first = peek() == '0';
  if (skip_digits("a JSON value") > 1 && zero_first) fail(start_offset, "a number has a leading zero");
  if (peek() == '.') {
    ++at_;
    skip_digits("a digit behind '.'");
  }
  const bool has_exponent = peek() == 'e' || peek() == 'E';
  if (has_exponent) {
    ++at_;
    if (peek() == '+' || peek() == '-') ++at_;
    skip_digits("a digit in the exponent");
  }
  constexpr std::size_t kShort = 300;  // digits without an exponent that always fit
  if (!has_exponent && at_ - start < kShort) return;
  std::string_view number(text_.data() + start, at_ - start);
  if (number.front() == '-') number.remove_prefix(1);
  if (overflows_double(number)) fail(start_offset, "a number is out of the range of a double");
}

// Those in front of others in an array, without signs or spaces: most of what long arrays hold.
void HeaderCursor::skip_usual_integers() {
  constexpr std::size_t kMostDigits = 16;
  const char* text = text_.data();
  for (std::size_t end = at_; is_digit(text[end]); at_ = ++end) {
    if (text[end] == '0' && text[end + 1] != ',') return;
    while (is_digit(text[end])) ++end;
    if (text[end] != ',' || end - at_ > kMostDigits) return;
  }
}

std::size_t HeaderCursor::skip_digits(std::string_view needed) {
  const std::size_t start = at_;
  while (is_digit(peek())) ++at_;
  if (at_ == start) fail_expected(needed);
  return at_ - start;
}

}  // namespace weighbridge
