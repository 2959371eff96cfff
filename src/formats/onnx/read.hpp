// ONNX models as checkpoints.
#pragma once

#include <string_view>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/checkpoint.hpp>

namespace weighbridge::onnx {

/// The entry of the metadata that says what no dtype of safetensors does: the model has it, too.
inline constexpr std::string_view kRestated = "onnx.tensors";

/// Whether the content can be a ModelProto, which has no magic number: fields of a model and nothing else
/// up to the end of the file, among them a version and a graph. A graph that is cut off at the end passes, so
/// that read() can say so. Skips over all content.
[[nodiscard]] bool looks_like_model(const ByteSource& source);

/// All tensors of a model in file order: docs/formats/onnx.md says which, and what they are called.
/// `options.key` selects as in safetensors files. Throws what parse_model throws, MalformedCheckpoint
/// for a tensor whose data is not what its type and shape need, Unsupported for COMPLEX128 in one
/// piece; see ExternalFiles for other files.
[[nodiscard]] Checkpoint read(SourcePtr source, const OpenOptions& options);

}  // namespace weighbridge::onnx
