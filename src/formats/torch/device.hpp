// Tensors of devices that torch moves to the processor before it saves them.
#pragma once

#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/recipe.hpp"
#include "formats/torch/subject.hpp"

namespace weighbridge::torch {

/// _rebuild_device_tensor_from_cpu_tensor(tensor, dtype, device, requires_grad), and the same from a
/// numpy array, also under its old name _rebuild_xla_tensor. What was saved as float32 becomes float16
/// or bfloat16 again where dtype says so, rounded to nearest; any other change is Unsupported, and so is an
/// array that torch could not take.
std::vector<TensorEntry> rebuild_device_tensor(const Subject& subject, const Recipe& recipe);

}  // namespace weighbridge::torch
