// The literals of text protocols: numbers and strings as Python writes them.
//
// What Python itself would refuse is refused; a few spellings that it would accept and never writes
// (octal and hexadecimal integers, underscores, leading zeros) are refused as well. All throw Fault.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weighbridge::pickle {

/// Most decimal digits of one integer, as in CPython.
inline constexpr std::size_t kMostDigits = 4300;

/// An integer of any size: its value, or its two's complement, little-endian, when 64 bits are too few.
struct Integer {
  std::int64_t value = 0;
  std::string big;  ///< Empty unless it is needed.
};

/// Decimal text with an optional sign.
Integer parse_integer(std::string_view text);

/// Two's complement, little-endian, of any length; no bytes are 0.
Integer parse_twos_complement(std::string_view bytes);

/// The index of a memo: decimal, not negative.
std::uint64_t parse_index(std::string_view text);

/// repr() of a float, with nan and inf.
double parse_float(std::string_view text);

/// A quoted string of Python 2 with its escapes: the bytes it stands for.
std::string parse_quoted(std::string_view text);

/// Raw-unicode-escape: Latin-1 with \uXXXX and \UXXXXXXXX. Gives UTF-8, surrogates as three bytes.
std::string parse_raw_unicode(std::string_view text);

/// Whether this is UTF-8 once lone surrogates, as three bytes each, are allowed.
bool is_utf8_with_surrogates(std::string_view text) noexcept;

}  // namespace weighbridge::pickle
