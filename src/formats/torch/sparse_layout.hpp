// The layouts of sparse tensors: which shapes their parts must have, and where each value goes.
#pragma once

#include <optional>
#include <string_view>

#include "formats/torch/dense_source.hpp"
#include "formats/torch/operand.hpp"

namespace weighbridge::torch {

struct SparseParts {
  std::string_view layout;  ///< "sparse_coo", "sparse_csr", ...
  Shape shape;
  Operand first;                  ///< COO: indices. The others: compressed indices.
  std::optional<Operand> second;  ///< The plain indices of the others.
  Operand values;
};

/// How the dense tensor is filled. Throws MalformedCheckpoint when the shapes of the parts contradict
/// each other, LimitExceeded for more indices than the input has bytes for. What it returns checks
/// every index before it is used.
DensePlan plan_dense(const Subject& subject, const SparseParts& parts);

}  // namespace weighbridge::torch
