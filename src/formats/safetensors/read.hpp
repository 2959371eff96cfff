// Reads a safetensors file as a Checkpoint.
#pragma once

#include <weighbridge/byte_source.hpp>
#include <weighbridge/checkpoint.hpp>

namespace weighbridge::safetensors {

/// Whether the source starts as a safetensors file does: a length up to the format's cap, then `{`.
/// Looks at 9 bytes; a damaged or truncated file still passes, so that read() can say what is wrong.
[[nodiscard]] bool looks_like(const ByteSource& source);

/// The tensors in order of their offsets, the metadata, and no finding. Reads the header alone.
/// `options.key` selects the tensor of that name and those whose names start with the key and a
/// dot, which is taken off them; absent or ".", it selects all.
/// Throws what read_header throws, LimitExceeded (limits.tensors), and NoTensors when a key selects
/// nothing; a file without tensors is no error.
[[nodiscard]] Checkpoint read(SourcePtr source, const OpenOptions& options);

}  // namespace weighbridge::safetensors
