// The Python literal in the header of an .npy file: {'descr': '<f4', 'fortran_order': False, 'shape':
// (3,), }. Nothing is evaluated: what is no dict, tuple, list, string, number, True, False or None is
// refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weighbridge::numpy {

/// One value; a dict holds key, value, key, value, ....
struct Literal {
  enum class Kind : std::uint8_t { Text, Integer, Boolean, None, List, Tuple, Dict };

  Kind kind = Kind::None;
  std::string text = {};
  std::int64_t integer = 0;  ///< Also of a boolean: 0 or 1.
  std::vector<Literal> items = {};
};

/// The whole of `text` as one value, blanks around it ignored.
/// Throws MalformedCheckpoint with the position, LimitExceeded for too many or too deep values.
Literal parse_literal(std::string_view text);

}  // namespace weighbridge::numpy
