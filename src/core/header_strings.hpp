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

/// What stands in front of the next special character, which may be the NUL behind the text.
/// REQUIRES: kTextPadding NULs behind the text that `start` is in.
[[nodiscard]] inline PlainRun plain_run(const char* start) noexcept {
  std::uint32_t beyond_ascii = 0;
  for (std::size_t length = 0;; length += Bytes16::kSize) {
    const Bytes16 bytes(start + length);
    beyond_ascii |= bytes.beyond_ascii();
    if (const std::uint32_t special = bytes.special(); special != 0)
      return {length + static_cast<std::size_t>(std::countr_zero(special)), beyond_ascii == 0};
  }
}

/// Its length alone.
[[nodiscard]] inline std::size_t plain_length(const char* start) noexcept { return plain_run(start).length; }

}  // namespace weighbridge
