// Reads a tar archive: torch's own of 2016, or one with checkpoints in it.
#pragma once

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::tar {

/// A torch 0.1.1 file when its four members are there; otherwise the members that are checkpoints by
/// their content, as one or as a bundle (formats/bundle.hpp), the others named in the finding
/// "MembersNotRead". Throws what read_members, torch::read_tar and read_checkpoint throw;
/// UnknownFormat for an archive without a checkpoint.
[[nodiscard]] Checkpoint read(SourcePtr source, const OpenOptions& options);

}  // namespace weighbridge::tar
