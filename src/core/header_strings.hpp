// The characters of JSON strings that stand for themselves, found sixteen at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace weighbridge {

/// NULs behind every text. They end every run of characters, and whatever looks at 16 characters from
/// some place in the text looks at memory that there is.
inline constexpr std::size_t kTextPadding = 16;

/// The place in memory of the first byte of `word` that is not 0; 8 when there is none.
[[nodiscard]] constexpr std::size_t first_byte(std::uint64_t word) noexcept {
  constexpr bool kLittle = std::endian::native == std::endian::little;
  return static_cast<std::size_t>(kLittle ? std::countr_zero(word) : std::countl_zero(word)) / 8;
}

/// The place among 16 characters of the first quote, backslash or control character; 16 when there
/// is none. REQUIRES: 16 bytes at `at`.
[[nodiscard]] inline std::size_t special_among_16(const char* at) noexcept {
  using Characters = unsigned char __attribute__((vector_size(16)));
  using Halves = std::uint64_t __attribute__((vector_size(16)));
  Characters characters;
  std::memcpy(&characters, at, sizeof characters);
  const auto hits = std::bit_cast<Halves>((characters == '"') | (characters == '\\') | (characters < 0x20));
  if (hits[0] != 0) return first_byte(hits[0]);
  return 8 + first_byte(hits[1]);
}

/// How many characters stand in front of the first special one, which may be the NUL behind the text.
/// REQUIRES: kTextPadding NULs behind the text that `start` is in.
[[nodiscard]] inline std::size_t plain_length(const char* start) noexcept {
  for (std::size_t length = 0;; length += 16) {
    const std::size_t place = special_among_16(start + length);
    if (place < 16) return length + place;
  }
}

}  // namespace weighbridge
