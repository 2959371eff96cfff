#include "base/utf8.hpp"

#include <array>
#include <cstdint>

#include "base/endian.hpp"

namespace weighbridge {
namespace {

using Byte = unsigned char;

constexpr bool continues(Byte byte) { return (byte & 0xC0) == 0x80; }

// Length of the valid sequence at `at`, 0 when there is none. Unicode 15, table 3-7.
std::size_t sequence_length(const Byte* at, std::size_t left) noexcept {
  const Byte first = at[0];
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return left >= 2 && continues(at[1]) ? 2 : 0;
  if (first < 0xF0) {
    if (left < 3 || !continues(at[1]) || !continues(at[2])) return 0;
    if (first == 0xE0 && at[1] < 0xA0) return 0;  // overlong
    if (first == 0xED && at[1] > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (first > 0xF4 || left < 4 || !continues(at[1]) || !continues(at[2]) || !continues(at[3])) return 0;
  if (first == 0xF0 && at[1] < 0x90) return 0;  // overlong
  if (first == 0xF4 && at[1] > 0x8F) return 0;  // above U+10FFFF
  return 4;
}

// Whether `size` bytes, a multiple of 8, are all ASCII.
bool all_ascii(const Byte* at, std::size_t size) noexcept {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < size; i += 8) bits |= load_le<std::uint64_t>(at + i);
  return (bits & 0x8080808080808080U) == 0;
}

// How many bytes at `at` are ASCII, as far as it shows quickly.
std::size_t ascii_run(const Byte* at, std::size_t left) noexcept {
  constexpr std::size_t kWord = 8;
  constexpr std::size_t kBlock = 64;
  if (left < kWord || !all_ascii(at, kWord)) return 0;
  std::size_t run = kWord;
  while (left - run >= kBlock && all_ascii(at + run, kBlock)) run += kBlock;
  return run;
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept {
  const auto* bytes = reinterpret_cast<const Byte*>(text.data());
  std::size_t at = 0;
  while (at < text.size()) {
    if (const std::size_t run = ascii_run(bytes + at, text.size() - at)) {
      at += run;
      continue;
    }
    const std::size_t length = sequence_length(bytes + at, text.size() - at);
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

std::size_t encode_utf8(std::uint32_t code_point, char* out) noexcept {
  const auto continuation = [&](std::uint32_t shift) {
    return static_cast<char>(0x80 | ((code_point >> shift) & 0x3F));
  };
  if (code_point < 0x80) {
    out[0] = static_cast<char>(code_point);
    return 1;
  }
  if (code_point < 0x800) {
    out[0] = static_cast<char>(0xC0 | (code_point >> 6));
    out[1] = continuation(0);
    return 2;
  }
  if (code_point < 0x10000) {
    out[0] = static_cast<char>(0xE0 | (code_point >> 12));
    out[1] = continuation(6);
    out[2] = continuation(0);
    return 3;
  }
  out[0] = static_cast<char>(0xF0 | (code_point >> 18));
  out[1] = continuation(12);
  out[2] = continuation(6);
  out[3] = continuation(0);
  return 4;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  std::array<char, 4> bytes{};
  out.append(bytes.data(), encode_utf8(code_point, bytes.data()));
}

}  // namespace weighbridge
