// TorchScript of torch 1.0 to 1.2: model.json describes modules and tensors, tensors/<n> holds bytes.
#pragma once

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/zip_layout.hpp"

namespace weighbridge::torch {

/// Parameters, buffers and, since 1.1, tensor attributes of all modules under their dotted paths; the
/// other attributes are extras. `options.key` takes the module or tensor of that path. Throws
/// MalformedCheckpoint for a document that is not what torch writes, NoTensors for a key that
/// nothing has, and what tensors and pickles throw.
Checkpoint read_old_script(const zip::Archive& archive, const ZipLayout& layout, const OpenOptions& options);

}  // namespace weighbridge::torch
