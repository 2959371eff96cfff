// Several files as one checkpoint.
#pragma once

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::sharded {

/// Reads the index and every file that it names, each by its own format, from options.folder. Each
/// tensor remembers its file in `shard`.
/// Throws MalformedCheckpoint for a file that is missing and a tensor that is not in its file,
/// NameCollision for a name whose bytes differ between files, Unsupported without a folder, and what the
/// readers throw, with the file named.
Checkpoint read(SourcePtr index, const OpenOptions& options);

}  // namespace weighbridge::sharded
