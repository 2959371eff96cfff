// Tensors by name.
#pragma once

#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::cli {

/// The tensors whose names match one of the shell patterns, in file order; all when there is none.
/// The pointers are into `checkpoint`.
std::vector<const TensorEntry*> filter_tensors(const Checkpoint& checkpoint,
                                               const std::vector<std::string>& globs);

}  // namespace weighbridge::cli
