// Finding the state dict in a checkpoint: which sub-tree is the model.
#pragma once

#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/census.hpp"
#include "formats/torch/document.hpp"
#include "formats/torch/tree.hpp"

namespace weighbridge::torch {

struct RootChoice {
  WalkPlan plan;
  std::string path = ".";
};

/// The state dict by the rules of docs/formats/torch.md: wrapper keys such as 'state_dict' and
/// 'model' are entered, a lone container with tensors is entered, otherwise the whole is taken
/// without the state of optimizers.
RootChoice find_root(const Document& document, const Census& census);

/// The sub-tree at a dotted path; "." is everything. Keys may hold dots themselves.
/// Throws NoTensors naming sub-trees that there are.
RootChoice get_root(const Document& document, const Census& census, std::string_view path);

/// The whole, each sub-tree right below it that holds tensors, and the chosen one.
std::vector<RootCandidate> list_candidates(const Document& document, const Census& census,
                                           const RootChoice& chosen);

}  // namespace weighbridge::torch
