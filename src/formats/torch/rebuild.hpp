// From the calls with which torch pickles a tensor to the tensors of the output. Nothing is called:
// the arguments are read as what the function is known to make of them.
#pragma once

#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// Whether the node describes a tensor, of a kind that can be converted or not. A storage that
/// stands for itself counts as a tensor of one dimension.
bool is_tensor(const Document& document, pickle::NodeId node);

/// What the tensor of that node becomes: one tensor `name` as a rule, several `name.<part>` for those
/// that are split, by the policies of `options`. Throws Unsupported, MalformedCheckpoint,
/// TensorOutOfBounds, ValidationOverflow, LimitExceeded; every message names the tensor.
/// REQUIRES: is_tensor(document, node).
std::vector<TensorEntry> rebuild_tensors(const Document& document, pickle::NodeId node, std::string name,
                                         const OpenOptions& options);

/// The same for a tensor that a table describes.
std::vector<TensorEntry> rebuild_table_tensor(const Document& document, const TableTensor& tensor,
                                              std::string name, const OpenOptions& options);

/// Attributes that were pickled with the tensor: a Dict or a Tuple, kNoNode when there are none.
pickle::NodeId tensor_attributes(const Document& document, pickle::NodeId node);

}  // namespace weighbridge::torch
