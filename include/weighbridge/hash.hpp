// SHA-256 of tensors and files.
#pragma once

#include <string>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/checkpoint.hpp>
#include <weighbridge/export.hpp>

namespace weighbridge {

/// SHA-256 of all bytes of `source`, as 64 lower-case hex digits.
WB_EXPORT std::string sha256(const ByteSource& source);

/// SHA-256 of a tensor's bytes as they would stand in a safetensors file: contiguous, row-major,
/// little-endian. Equal tensors have equal hashes in whatever format they are stored.
WB_EXPORT std::string sha256(const TensorEntry& tensor);

}  // namespace weighbridge
