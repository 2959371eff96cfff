// Floats into blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::gguf {

inline constexpr std::size_t kQ8Elements = 32;
inline constexpr std::size_t kQ8Bytes = 34;

/// One block: the scale is the greatest magnitude / 127 as F16, an integer is x * (1 / scale) with the scale
/// in F32, halves away from zero: as ggml's reference. What is no number in 32 bits becomes 0.
void quantize_q8_0(std::span<const float, kQ8Elements> values, std::byte* out) noexcept;

/// Whether tensors of that kind are quantised: floating-point, at least two dimensions, rows of whole blocks.
[[nodiscard]] bool can_quantize(const TensorSpec& spec) noexcept;

/// The blocks of a tensor, made when they are read. REQUIRES: can_quantize(entry.spec).
[[nodiscard]] SourcePtr quantized_source(const TensorEntry& entry);

}  // namespace weighbridge::gguf
