// Floats as 32 or 16 bits.
#pragma once

#include <cstddef>
#include <span>

#include <weighbridge/dtype.hpp>

namespace weighbridge::gguf {

/// Writes `values` as F32, F16 or BF16, little-endian; rounded to nearest, ties to even, as base/half.hpp
/// does it, many at a time. REQUIRES: one of these dtypes, room for all.
void narrow(DType dtype, std::span<const float> values, std::byte* out) noexcept;

}  // namespace weighbridge::gguf
