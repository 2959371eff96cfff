#include "base/utf8.hpp"

#include <cstring>

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

bool eight_ascii(const Byte* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return (word & 0x8080808080808080U) == 0;
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept {
  const auto* bytes = reinterpret_cast<const Byte*>(text.data());
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= 8 && eight_ascii(bytes + at)) {
      at += 8;
      continue;
    }
    const std::size_t length = sequence_length(bytes + at, text.size() - at);
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto push = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    push(code_point);
  } else if (code_point < 0x800) {
    push(0xC0 | (code_point >> 6));
    push(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    push(0xE0 | (code_point >> 12));
    push(0x80 | ((code_point >> 6) & 0x3F));
    push(0x80 | (code_point & 0x3F));
  } else {
    push(0xF0 | (code_point >> 18));
    push(0x80 | ((code_point >> 12) & 0x3F));
    push(0x80 | ((code_point >> 6) & 0x3F));
    push(0x80 | (code_point & 0x3F));
  }
}

}  // namespace weighbridge
