// From the calls with which torch pickles a tensor to a view of its storage. Nothing is called:
// the arguments are read as what the function is known to make of them.
#pragma once

#include <string>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/limits.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// Whether the node describes a tensor, of a kind that can be converted or not. A storage that
/// stands for itself counts as a tensor of one dimension.
bool is_tensor(const Document& document, pickle::NodeId node);

/// The tensor of that node. Throws Unsupported for a kind that is not converted yet (sparse,
/// quantised, ...), MalformedCheckpoint, TensorOutOfBounds, ValidationOverflow, LimitExceeded; every
/// message names the tensor. REQUIRES: is_tensor(document, node).
TensorEntry rebuild_tensor(const Document& document, pickle::NodeId node, std::string name,
                           const Limits& limits);

/// Attributes that were pickled with the tensor: a Dict or a Tuple, kNoNode when there are none.
pickle::NodeId tensor_attributes(const Document& document, pickle::NodeId node);

}  // namespace weighbridge::torch
