// GGUF files as checkpoints.
#pragma once

#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/gguf/header.hpp"

namespace weighbridge::gguf {

[[nodiscard]] bool looks_like_gguf(const ByteSource& source);

/// One file of a model, or the whole of it.
struct Part {
  std::string name = {};  ///< Empty when it is the only one.
  SourcePtr source;
  FileHeader header;
};

/// Reads a file, and with a file of a model in several parts all of them, from options.folder. Quantised
/// tensors are U8 [rows…, bytes of a row] with `gguf.type.<name>` and `gguf.shape.<name>` in the metadata, or
/// dequantised as options.dequantize says.
/// Throws what parse_file_header() throws, MalformedCheckpoint for parts that do not belong together,
/// NameCollision, Unsupported for blocks in a byte order that no tool writes.
[[nodiscard]] Checkpoint read(SourcePtr source, const OpenOptions& options);

}  // namespace weighbridge::gguf
