#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/text.hpp"
#include "formats/pickle/fault.hpp"
#include "formats/pickle/literals.hpp"

namespace weighbridge::pickle {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What a message quotes of a literal.
std::string quote(std::string_view text) { return fmt::format("'{}'", printable(text.substr(0, 40))); }

std::string_view strip_sign(std::string_view text) {
  return text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
}

void check_digits(std::string_view digits, std::string_view text) {
  const bool padded = digits.size() > 1 && digits.front() == '0';
  if (digits.empty() || padded || !std::ranges::all_of(digits, is_digit)) {
    malformed(fmt::format("holds {}, needs a decimal integer", quote(text)));
  }
}

// The magnitude in words of 32 bits, lowest first.
std::vector<std::uint32_t> parse_magnitude(std::string_view digits) {
  std::vector<std::uint32_t> words;
  for (std::size_t at = 0; at < digits.size();) {
    std::uint64_t chunk = 0;
    std::uint64_t scale = 1;
    for (; at < digits.size() && scale < 1'000'000'000; ++at, scale *= 10) {
      chunk = chunk * 10 + static_cast<std::uint64_t>(digits[at] - '0');
    }
    for (std::uint32_t& word : words) {
      chunk += word * scale;
      word = static_cast<std::uint32_t>(chunk);
      chunk >>= 32;
    }
    if (chunk > 0) words.push_back(static_cast<std::uint32_t>(chunk));
  }
  return words;
}

void negate(std::string& bytes) {
  unsigned carry = 1;
  for (char& byte : bytes) {
    carry += static_cast<unsigned char>(~static_cast<unsigned char>(byte));
    byte = static_cast<char>(carry & 0xFF);
    carry >>= 8;
  }
}

std::string big_integer(std::string_view digits, bool negative) {
  std::string bytes;
  for (const std::uint32_t word : parse_magnitude(digits)) {
    const std::size_t at = bytes.size();
    bytes.resize(at + 4);
    store_le(bytes.data() + at, word);
  }
  bytes.push_back('\0');  // Room for the sign.
  if (negative) negate(bytes);
  return bytes;
}

// Whether the last byte repeats the sign that the byte before it has already.
bool only_extends_sign(std::string_view bytes) {
  const bool negative = (bytes[bytes.size() - 2] & 0x80) != 0;
  return bytes.back() == (negative ? '\xFF' : '\0');
}

}  // namespace

Integer parse_integer(std::string_view text) {
  const std::string_view digits = strip_sign(text);
  if (digits.size() > kMostDigits) {
    limit_exceeded(
        fmt::format("holds an integer of {} digits, at most {} are read", digits.size(), kMostDigits));
  }
  check_digits(digits, text);
  const std::string_view number = text.starts_with('+') ? digits : text;
  Integer result;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), result.value);
  if (parsed.ec == std::errc::result_out_of_range) result.big = big_integer(digits, text.starts_with('-'));
  return result;
}

Integer parse_twos_complement(std::string_view bytes) {
  Integer result;
  while (bytes.size() > sizeof result.value && only_extends_sign(bytes)) bytes.remove_suffix(1);
  if (bytes.size() > sizeof result.value) {
    result.big = bytes;
  } else if (!bytes.empty()) {
    const char fill = (bytes.back() & 0x80) != 0 ? '\xFF' : '\0';
    std::string widened(bytes);
    widened.resize(sizeof result.value, fill);
    result.value = load_le<std::int64_t>(widened.data());
  }
  return result;
}

std::uint64_t parse_index(std::string_view text) {
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc{} || end != text.data() + text.size()) {
    malformed(fmt::format("holds {}, needs the number of a memo", quote(text)));
  }
  return index;
}

double parse_float(std::string_view text) {
  const std::string_view number = text.starts_with('+') ? text.substr(1) : text;
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  const bool whole = end == number.data() + number.size() && !number.ends_with(')') &&
                     strip_sign(number) == strip_sign(text);
  if (error != std::errc{} || !whole) malformed(fmt::format("holds {}, needs a float", quote(text)));
  return value;
}

}  // namespace weighbridge::pickle
