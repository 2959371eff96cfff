// Distributed checkpoints (torch.distributed.checkpoint): a folder with `.metadata` and one or more
// `.distcp` files, each a row of zip archives that hold one piece of a tensor or one object.
#pragma once

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// The checkpoint that the metadata describes; the files are found in `options.folder`. Pieces are
/// joined, objects become extras. Throws IoError when there is no folder or a file is missing,
/// MalformedCheckpoint when a piece is not what the metadata says or the pieces do not fill a tensor.
/// REQUIRES: is_dcp_metadata(metadata).
Checkpoint read_dcp(const Document& metadata, Findings findings, const OpenOptions& options);

}  // namespace weighbridge::torch
