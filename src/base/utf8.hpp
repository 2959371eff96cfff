// UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weighbridge {

/// Position of the first byte that starts no valid sequence.
[[nodiscard]] std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept;

/// Writes a code point to `out` and gives how many bytes it takes, at most 4.
/// REQUIRES: code_point <= 0x10FFFF, not a surrogate.
std::size_t encode_utf8(std::uint32_t code_point, char* out) noexcept;

/// Appends a code point. REQUIRES: code_point <= 0x10FFFF, not a surrogate.
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace weighbridge
