// Checkpoints of TensorFlow, version 2: <prefix>.index and <prefix>.data-00000-of-00001, …, which are also
// the variables of a SavedModel.
#pragma once

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::tensorflow {

/// Whether the file is the index of one.
[[nodiscard]] bool looks_like_index(const ByteSource& source);

/// Reads the index; the data is found in options.folder by names made of options.input_name. Tensors have the
/// names of the index, in its order, or with options.variable_names those of the variables. Checksums of the
/// index are checked here, those of tensors when their bytes are read.
/// Throws MalformedCheckpoint, Unsupported, LimitExceeded, NameCollision.
[[nodiscard]] Checkpoint read(SourcePtr index, const OpenOptions& options);

}  // namespace weighbridge::tensorflow
