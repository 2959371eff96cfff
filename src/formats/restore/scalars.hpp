// Single values of a sidecar, from the text in their tag to what they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weighbridge::restore {

/// Strict: padded, no character outside the alphabet, no bits behind the end.
std::optional<std::string> decode_base64(std::string_view text);

/// The same for a str of Python: UTF-8, with lone surrogates as three bytes each.
std::optional<std::string> decode_text(std::string_view text);

/// "nan", "inf", "-inf", "-0", or "nan:" and 16 hexadecimal digits: the bits of another NaN.
std::optional<double> parse_float(std::string_view text);

/// Decimal within 64 bits, or sign, "0x" and digits: two's complement, little-endian, shortest.
std::optional<std::vector<std::byte>> parse_integer(std::string_view text);

/// Each byte as the character of its number, in UTF-8.
std::string latin1_text(std::string_view bytes);

}  // namespace weighbridge::restore
