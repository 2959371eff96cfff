#include "base/text.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/utf8.hpp"

namespace weighbridge {
namespace {

constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// C1 controls, line and paragraph separators, and the marks that reorder text on a screen.
bool hides_text(std::string_view sequence) {
  if (sequence.size() == 2) return sequence[0] == '\xC2' && static_cast<unsigned char>(sequence[1]) < 0xA0;
  if (sequence.size() != 3 || sequence[0] != '\xE2') return false;
  const auto second = static_cast<unsigned char>(sequence[1]);
  const auto third = static_cast<unsigned char>(sequence[2]);
  if (second == 0x80) return (third >= 0x8B && third <= 0x8F) || (third >= 0xA8 && third <= 0xAE);
  return second == 0x81 && third >= 0xA6 && third <= 0xA9;
}

std::size_t sequence_size(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte < 0x80) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

void append_hex_bytes(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(byte));
  }
}

// `text` is valid UTF-8.
void append_printable(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view sequence = text.substr(at, sequence_size(text[at]));
    if (is_control(sequence[0]) || hides_text(sequence)) {
      append_hex_bytes(out, sequence);
    } else {
      out.append(sequence);
    }
    at += sequence.size();
  }
}

char short_escape(char c) {
  switch (c) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

constexpr bool needs_escape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

/// Whether one of 8 characters needs an escape. May also say so of some that need none, behind one that does.
bool any_needs_escape(std::uint64_t chars) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = 0x8080808080808080U;
  const auto below = [](std::uint64_t word, std::uint64_t limit) {
    return (word - kOnes * limit) & ~word & kHighs;
  };
  return (below(chars, 0x20) | below(chars ^ kOnes * '"', 1) | below(chars ^ kOnes * '\\', 1)) != 0;
}

/// How many characters at the front need no escape.
std::size_t plain_length(std::string_view text) noexcept {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::size_t at = 0;
  while (text.size() - at >= kWord && !any_needs_escape(load_le<std::uint64_t>(text.data() + at)))
    at += kWord;
  while (at < text.size() && !needs_escape(text[at])) ++at;
  return at;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (true) {
    const auto bad = find_invalid_utf8(text);
    append_printable(out, text.substr(0, bad.value_or(text.size())));
    if (!bad) return out;
    append_hex_bytes(out, text.substr(*bad, 1));
    text.remove_prefix(*bad + 1);
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  const std::size_t plain = plain_length(text);
  out.append(text.substr(0, plain));
  for (const char c : text.substr(plain)) {
    if (const char escape = short_escape(c)) {
      out.push_back('\\');
      out.push_back(escape);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace weighbridge
