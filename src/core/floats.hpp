// Numbers of every floating dtype as float, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <weighbridge/dtype.hpp>

namespace weighbridge {

/// Whether elements of the dtype are real numbers that decode_floats() or F64 covers: all floats but
/// F6, whose packing no library agrees on. F4 is two elements a byte, the first in the low bits.
bool is_real_float(DType dtype) noexcept;

/// The dtypes that numbers can be cast to: F64, F32, F16, BF16, F8_E4M3, F8_E5M2.
bool is_cast_target(DType dtype) noexcept;

/// Exact. REQUIRES: is_real_float(dtype), not F64; `in` holds out.size() elements, an even number of F4.
void decode_floats(DType dtype, std::span<const std::byte> in, std::span<float> out) noexcept;

/// Casts elements between floating dtypes as torch does: rounded to nearest, ties to even, and from F64 to
/// less than F32 by way of F32. What is too large becomes infinite, and 448, the largest number, in F8_E4M3,
/// which has no infinity. A NaN stays one.
/// Gives how many numbers were too large; an infinity counts where it does not stay one.
/// REQUIRES: is_real_float(from), is_cast_target(to); whole elements, an even number of F4, as many in `out`.
std::uint64_t cast_floats(DType from, std::span<const std::byte> in, DType to,
                          std::span<std::byte> out) noexcept;

}  // namespace weighbridge
