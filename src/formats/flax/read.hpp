// Checkpoints of flax: a tree of MessagePack whose leaves are arrays. docs/formats/flax.md
#pragma once

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::flax {

/// Whether the file begins like such a tree: maps under text keys down to a first leaf that flax writes.
/// MessagePack has no magic number.
bool looks_like_flax(const ByteSource& source);

/// flax.serialization.to_bytes(), msgpack_serialize(). Throws MalformedCheckpoint, Unsupported for a dtype
/// that safetensors does not have, LimitExceeded, and what names can be refused for.
Checkpoint read(SourcePtr source, const OpenOptions& options);

}  // namespace weighbridge::flax
