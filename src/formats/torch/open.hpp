// Tensors that are made of other tensors, each of which goes out under a name of its own.
#pragma once

#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/document.hpp"
#include "formats/torch/tree.hpp"

namespace weighbridge::torch {

struct OpenedTensors {
  std::vector<NamedTensor> leaves;  ///< Those to be rebuilt, in order.
  std::vector<NamedTensor> opened;  ///< Those that are made of some of the leaves.
};

/// Replaces jagged tensors, unknown subclasses that wrap tensors, DTensors and, with
/// SparsePolicy::Split, sparse ones by what they are made of, and that again, as deep as it goes.
/// Throws Unsupported for a subclass without tensors and for a DTensor that is not whole;
/// LimitExceeded for depth, number and steps.
OpenedTensors open_tensors(const Document& document, const std::vector<NamedTensor>& tensors,
                           const OpenOptions& options);

}  // namespace weighbridge::torch
