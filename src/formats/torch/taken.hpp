// The tensors that are taken from a document, as they go out.
#pragma once

#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/document.hpp"
#include "formats/torch/tree.hpp"

namespace weighbridge::torch {

struct Taken {
  std::vector<TensorEntry> entries;
  /// The tensors of the file that went out, whole or in parts, and those that hold them: for the sidecar.
  std::vector<NamedTensor> origins;
};

/// Rebuilds the named tensors by the policies of `options`. What was decided about special ones is
/// added to `findings`. Throws what rebuild_tensors() throws; NameCollision naming both when a part of one
/// tensor has the name of another; LimitExceeded for too many.
Taken take_tensors(const Document& document, const std::vector<NamedTensor>& named,
                   const OpenOptions& options, Findings& findings);

}  // namespace weighbridge::torch
