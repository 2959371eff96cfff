// The bytes of a quantised tensor, made when they are read.
#pragma once

#include <cstdint>
#include <optional>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/dtype.hpp>

#include "formats/gguf/tensor_type.hpp"

namespace weighbridge::gguf {

/// Blocks of one type that stand in a file.
struct StoredBlocks {
  SourcePtr source;
  std::uint64_t offset = 0;
  std::uint64_t count = 0;
  const TensorType* type = nullptr;
  bool big_endian = false;  ///< REQUIRES: type->big_endian == BigEndian::Halves.
};

/// The blocks as little-endian bytes, or dequantised to F32, F16 or BF16. In any order and by several
/// threads, in 300 KiB of memory each. REQUIRES: a type with a decoder where there is a dtype.
SourcePtr block_source(const StoredBlocks& blocks, std::optional<DType> dtype);

}  // namespace weighbridge::gguf
