// The tree of a document as tagged JSON: docs/formats/sidecar.md.
#pragma once

#include <map>
#include <string>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// Where a tensor went.
struct TensorPlace {
  std::string name;
  bool optimizer = false;  ///< Into the optimizer's file.
};

/// The tensors that were taken, by node. A tensor that went out as several has the name that theirs
/// start with.
using TensorPlaces = std::map<pickle::NodeId, TensorPlace>;

/// `options` are those by which the tensors were taken. Throws LimitExceeded above limits.sidecar_bytes.
std::string serialize_sidecar(const Document& document, const TensorPlaces& places,
                              const OpenOptions& options, const Limits& limits);

}  // namespace weighbridge::torch
