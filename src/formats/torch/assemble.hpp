// From a document to a checkpoint: the last steps, the same for every container.
#pragma once

#include <string_view>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// Chooses the root, names and rebuilds the tensors in it, and keeps the rest as extras.
/// Throws what the choice, the names and the tensors throw; Unsupported when the only
/// numpy arrays of a file without tensors hold no numbers.
Checkpoint assemble(Document document, std::string_view format, Findings findings,
                    const OpenOptions& options);

}  // namespace weighbridge::torch
