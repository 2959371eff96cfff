// Sparse tensors: COO, and the four compressed layouts CSR, CSC, BSR and BSC.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/recipe.hpp"
#include "formats/torch/subject.hpp"
#include "formats/torch/tree.hpp"

namespace weighbridge::torch {

/// The arguments of _rebuild_sparse_tensor, before any tensor among them was looked at.
struct SparseNodes {
  std::string_view layout;                      ///< "sparse_coo", "sparse_csr", ...
  pickle::NodeId indices = pickle::kNoNode;     ///< COO alone.
  pickle::NodeId compressed = pickle::kNoNode;  ///< The other layouts.
  pickle::NodeId plain = pickle::kNoNode;
  pickle::NodeId values = pickle::kNoNode;
  pickle::NodeId size = pickle::kNoNode;
  std::optional<bool> coalesced = std::nullopt;
};

/// Nothing when the arguments are none of a sparse tensor.
std::optional<SparseNodes> find_sparse(const pickle::Graph& graph, const Recipe& recipe);

/// The tensors that it is made of, named as torch names them: name.indices and name.values, or
/// name.crow_indices, name.col_indices (ccol, row) and name.values.
std::vector<NamedTensor> sparse_parts(const SparseNodes& nodes, const std::string& name);

/// Written out in full. Checks that the parts belong together and that the result is within the
/// limits; the indices are checked when the first byte is read, before any is used.
std::vector<TensorEntry> rebuild_sparse(const Subject& subject, const Recipe& recipe);

}  // namespace weighbridge::torch
