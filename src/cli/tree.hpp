// Tensor names as a tree.
#pragma once

#include <cstdio>
#include <vector>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::cli {

/// Prints the names split at their dots, with tensors and bytes of each branch, in file order.
void print_tree(std::FILE* stream, const std::vector<const TensorEntry*>& tensors);

}  // namespace weighbridge::cli
