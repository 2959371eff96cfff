// The characters of JSON strings that stand for themselves, found sixteen at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/header_bytes.hpp"

namespace weighbridge {

/// NULs behind every text. They end every run of characters, and whatever looks at 32 characters from
/// some place in the text looks at memory that there is.
inline constexpr std::size_t kTextPadding = 32;

/// Characters that stand for themselves.
struct PlainRun {
  std::size_t length = 0;
  bool ascii = true;  ///< No character is above U+007F; one may be where this is false.
};

/// How many characters stand in front of the next special one, which may be the NUL behind the text.
/// REQUIRES: kTextPadding NULs behind the text that `start` is in.
[[nodiscard]] inline std::size_t plain_length(const char* start) noexcept {
  for (std::size_t length = 0;; length += Bytes16::kSize) {
    if (const std::uint32_t special = Bytes16(start + length).special(); special != 0)
      return length + static_cast<std::size_t>(std::countr_zero(special));
  }
}

/// The same, and whether all of them are ASCII.
[[nodiscard]] inline PlainRun plain_run(const char* start) noexcept {
  for (std::size_t length = 0;; length += Bytes16::kSize) {
    const std::uint32_t unusual = Bytes16(start + length).special_or_not_ascii();
    if (unusual == 0) continue;
    length += static_cast<std::size_t>(std::countr_zero(unusual));
    if (static_cast<unsigned char>(start[length]) < 0x80) return {.length = length, .ascii = true};
    return {.length = length + plain_length(start + length), .ascii = false};
  }
}

}  // namespace weighbridge
