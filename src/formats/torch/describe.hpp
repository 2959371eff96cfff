// What a tensor of the output does not say about itself: the sidecar's members for special tensors.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// Members of a JSON object, in order: key and JSON value.
using JsonMembers = std::vector<std::pair<std::string, std::string>>;

/// The members beside "$tensor": kind, dtype, shape, parts and what the policies lose. Empty for plain
/// tensors, and for those that cannot be rebuilt. docs/formats/sidecar.md lists them.
JsonMembers describe_tensor(const Document& document, pickle::NodeId node, const OpenOptions& options);

/// The same in a few words: "sparse_coo float32 [3, 3]". Empty for plain tensors.
std::string describe_briefly(const Document& document, pickle::NodeId node);

}  // namespace weighbridge::torch
