#include "formats/restore/scalars.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <limits>

#include "base/utf8.hpp"

namespace weighbridge::restore {
namespace {

std::optional<unsigned> base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0') + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return std::nullopt;
}

template <typename T>
std::optional<T> parse_number(std::string_view text, int base) {
  T value{};
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [parsed, error] = std::from_chars(begin, end, value, base);
  if (error != std::errc{} || parsed != end || text.empty()) return std::nullopt;
  return value;
}

/// Negates two's complement in place.
void negate(std::vector<std::byte>& bytes) {
  unsigned carry = 1;
  for (std::byte& byte : bytes) {
    const unsigned sum = std::to_integer<unsigned>(~byte) + carry;
    byte = static_cast<std::byte>(sum & 0xFF);
    carry = sum >> 8;
  }
}

bool is_negative(std::byte byte) { return (byte & std::byte{0x80}) != std::byte{0}; }

/// Without bytes at the end that only repeat the sign.
void shorten(std::vector<std::byte>& bytes) {
  while (bytes.size() > 1) {
    const std::byte before = bytes[bytes.size() - 2];
    const std::byte sign = is_negative(before) ? std::byte{0xFF} : std::byte{0};
    if (bytes.back() != sign) return;
    bytes.pop_back();
  }
}

std::optional<std::vector<std::byte>> parse_hexadecimal(std::string_view digits, bool negative) {
  std::vector<std::byte> bytes;
  for (std::size_t end = digits.size(); end > 0; end -= std::min<std::size_t>(end, 2)) {
    const std::size_t begin = end - std::min<std::size_t>(end, 2);
    const auto byte = parse_number<std::uint8_t>(digits.substr(begin, end - begin), 16);
    if (!byte) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(*byte));
  }
  if (bytes.empty()) return std::nullopt;
  bytes.push_back(std::byte{0});
  if (negative) negate(bytes);
  shorten(bytes);
  return bytes;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const auto digit = base64_digit(c);
    if (!digit) return std::nullopt;
    bits = bits << 6 | *digit;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xFF);
  }
  const bool left_over = (bits & ((1U << held) - 1)) != 0;
  return left_over ? std::nullopt : std::optional(std::move(bytes));
}

std::optional<std::string> decode_text(std::string_view text) {
  auto bytes = decode_base64(text);
  if (!bytes) return std::nullopt;
  std::string_view rest = *bytes;
  while (const auto invalid = find_invalid_utf8(rest)) {
    rest.remove_prefix(*invalid);
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
    const bool surrogate =
        rest.size() >= 3 && at(0) == 0xED && at(1) >= 0xA0 && at(1) <= 0xBF && at(2) >= 0x80 && at(2) <= 0xBF;
    if (!surrogate) return std::nullopt;
    rest.remove_prefix(3);
  }
  return bytes;
}

std::optional<double> parse_float(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf") return kInfinity;
  if (text == "-inf") return -kInfinity;
  if (text == "-0") return -0.0;
  if (!text.starts_with("nan:") || text.size() != 20) return std::nullopt;
  const auto bits = parse_number<std::uint64_t>(text.substr(4), 16);
  return bits ? std::optional(std::bit_cast<double>(*bits)) : std::nullopt;
}

std::optional<std::vector<std::byte>> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.starts_with("0x")) return parse_hexadecimal(digits.substr(2), negative);
  const auto value = parse_number<std::int64_t>(text, 10);
  if (!value) return std::nullopt;
  std::vector<std::byte> bytes;
  for (unsigned shift = 0; shift < 64; shift += 8) {
    bytes.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(*value) >> shift & 0xFF));
  }
  shorten(bytes);
  return bytes;
}

std::string latin1_text(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char byte : bytes) append_utf8(text, static_cast<unsigned char>(byte));
  return text;
}

}  // namespace weighbridge::restore
