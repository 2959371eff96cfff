// What a tensor was in torch, beyond name, dtype and shape: for the sidecar.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/limits.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

struct TensorTraits {
  std::string class_name;  ///< Of a parameter or subclass; empty for a plain tensor.
  bool requires_grad = false;
  std::string_view dtype;              ///< Where safetensors has no dtype of that name.
  std::vector<std::uint64_t> strides;  ///< In elements; empty for a contiguous tensor.
  std::string storage;                 ///< The class, of a storage that stands for itself.
};

/// Reads the calls that make the tensor; what is unsound about them is left out.
/// REQUIRES: is_tensor(document, node).
TensorTraits traits_of(const Document& document, pickle::NodeId node, const Limits& limits);

}  // namespace weighbridge::torch
