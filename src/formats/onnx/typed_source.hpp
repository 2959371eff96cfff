// The typed fields of a tensor as the bytes that raw_data would have.
#pragma once

#include <cstdint>

#include <weighbridge/byte_source.hpp>

#include "formats/onnx/tensor.hpp"

namespace weighbridge::onnx {

/// Where the data of a tensor with typed fields is: a stretch of the file when a packed field of
/// floats holds it, otherwise a source that decodes the entries when it is read, at any offset and in
/// bounded memory. Reads the entries once to count and check them.
/// Throws MalformedCheckpoint when they are not as many as the shape says, when one is beyond its type,
/// and for a field that is not the type's.
struct TypedData {
  SourcePtr source;
  std::uint64_t offset = 0;
};
[[nodiscard]] TypedData open_typed(const SourcePtr& file, Window& window, const TensorProto& tensor,
                                   const ElementType& type);

}  // namespace weighbridge::onnx
