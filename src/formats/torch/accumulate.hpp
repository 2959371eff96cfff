// Addition as torch does it for each dtype: what duplicates of a sparse tensor become.
#pragma once

#include <cstddef>
#include <span>

#include "formats/torch/element_type.hpp"

namespace weighbridge::torch {

/// Adds the little-endian elements of `in` to those of `out`: integers wrap around, 16-bit floats are
/// rounded after each addition, bool is "or". REQUIRES: spans of one size, of whole elements.
using Accumulate = void (*)(std::span<std::byte> out, std::span<const std::byte> in);

/// Null for types that torch itself cannot add (8-bit floats, packed integers).
Accumulate find_accumulate(const ElementType& type) noexcept;

}  // namespace weighbridge::torch
