// A sparse tensor written out in full.
#pragma once

#include <cstdint>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/tensor.hpp>

namespace weighbridge::onnx {

struct SparseParts {
  SourcePtr values;  ///< From byte `values_at` on `count` elements of `element_bytes`.
  std::uint64_t values_at = 0;
  SourcePtr indices;  ///< I64; `count` positions, or as many rows of one for each dimension.
  std::uint64_t indices_at = 0;
  std::uint64_t count = 0;
  std::uint64_t element_bytes = 0;
  bool linear = true;
  Shape shape;
  std::string name;  ///< For messages.
};

/// Zeros, and the values where the indices say. They are read and checked with the first byte, and held.
/// Reading throws MalformedCheckpoint for indices that are outside the shape or not in order.
/// REQUIRES: the product of the shape and element_bytes fits 64 bits.
[[nodiscard]] SourcePtr sparse_source(SparseParts parts);

}  // namespace weighbridge::onnx
