// Quantised tensors: integers, with what they have to be multiplied by.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/recipe.hpp"
#include "formats/torch/subject.hpp"

namespace weighbridge::torch {

/// The arguments of _rebuild_qtensor, as far as they have the right form.
struct QuantizedNodes {
  pickle::NodeId storage = pickle::kNoNode;
  pickle::NodeId offset = pickle::kNoNode;
  pickle::NodeId size = pickle::kNoNode;
  pickle::NodeId stride = pickle::kNoNode;
  std::string_view scheme;  ///< "per_tensor_affine", "per_channel_affine", ..._float_qparams
  pickle::NodeId scale = pickle::kNoNode;
  pickle::NodeId zero_point = pickle::kNoNode;
  pickle::NodeId axis = pickle::kNoNode;  ///< Per channel only.
};

std::optional<QuantizedNodes> find_quantized(const pickle::Graph& graph, const Recipe& recipe);

/// With QuantizedPolicy::Split: the integers as they are stored under the tensor's name, packed ones as
/// U8 of one dimension, and `.scale` and `.zero_point` beside them. With Dequantize: F32, bit by bit what
/// torch's dequantize() gives. Throws MalformedCheckpoint for an axis that is no dimension and for
/// scales whose number is not its size.
std::vector<TensorEntry> rebuild_quantized(const Subject& subject, const Recipe& recipe);

/// Integers in one byte: 1, or 2 and 4 for quint4x2 and quint2x4.
std::uint64_t integers_per_byte(const ElementType& type) noexcept;

}  // namespace weighbridge::torch
