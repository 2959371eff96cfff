// Walks a document and names the tensors in it.
#pragma once

#include <string>
#include <vector>

#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/torch/census.hpp"
#include "formats/torch/document.hpp"

namespace weighbridge::torch {

struct NamedTensor {
  std::string name;  ///< Dotted path from the root of the walk; "tensor" or "storage" for a lone one.
  pickle::NodeId node = pickle::kNoNode;
};

/// Where a walk starts and what it leaves out.
struct WalkPlan {
  pickle::NodeId root = pickle::kNoNode;
  bool skip_optimizers = false;
};

/// Every tensor below the root in file order; a tensor that is reached in two ways has two names.
/// Names that had to be escaped are reported as "EscapedName".
/// Throws NameCollision naming both paths, MalformedCheckpoint for a key that cannot be part of a
/// name, LimitExceeded for depth, number, length of names and steps.
std::vector<NamedTensor> name_tensors(const Document& document, const Census& census, const WalkPlan& plan,
                                      const Limits& limits, Findings& findings);

/// Whether an entry of a dict is the state of an optimizer, by its key or by its shape.
bool is_optimizer(const pickle::Graph& graph, pickle::NodeId key, pickle::NodeId value);

}  // namespace weighbridge::torch
