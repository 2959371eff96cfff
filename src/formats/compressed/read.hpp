// Reads a compressed checkpoint: what is inside is detected again.
#pragma once

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::compressed {

/// find_codec(), as the table of formats asks.
[[nodiscard]] bool looks_like_compressed(const ByteSource& source);

/// Throws what decompressed_source and read_checkpoint throw.
[[nodiscard]] Checkpoint read(SourcePtr source, const OpenOptions& options);

}  // namespace weighbridge::compressed
