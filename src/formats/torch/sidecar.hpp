// The tree of a document as tagged JSON: docs/formats/sidecar.md.
#pragma once

#include <map>
#include <string>

#include <weighbridge/limits.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// Names of the tensors that were taken, by node.
using TensorNames = std::map<pickle::NodeId, std::string>;

/// Throws LimitExceeded above limits.sidecar_bytes.
std::string serialize_sidecar(const Document& document, const TensorNames& names, const Limits& limits);

}  // namespace weighbridge::torch
