// (q - zero_point) * scale, with the roundings that torch makes on its way.
#pragma once

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/operand.hpp"

namespace weighbridge::torch {

struct Quantization {
  Operand scale;       ///< float64 or float32; one, or one for each channel.
  Operand zero_point;  ///< int64 or float32.
  std::uint64_t channels = 1;
  std::uint64_t inner = 1;  ///< Elements of one channel that follow each other.
};

/// The tensor as F32 of `shape`, computed when it is read; its scales are read then, too.
/// Throws MalformedCheckpoint for scales and zero points of other types.
TensorEntry dequantized(const Subject& subject, const Operand& integers, const Shape& shape,
                        const Quantization& quantization, bool per_channel);

}  // namespace weighbridge::torch
