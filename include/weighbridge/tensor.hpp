// What a tensor is: name, dtype, shape; and a borrowed view of its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/dtype.hpp>
#include <weighbridge/export.hpp>

namespace weighbridge {

/// Sizes of the dimensions, outermost first. Empty: a scalar of one element. A 0 is legal.
using Shape = std::vector<std::uint64_t>;

/// A tensor without its bytes.
struct TensorSpec {
  std::string name = {};
  DType dtype = DType::F32;
  Shape shape = {};
  friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

/// A tensor whose bytes belong to somebody else: little-endian, row-major, contiguous.
/// Valid as long as the object that it was taken from; see there.
struct TensorView {
  std::string_view name = {};
  DType dtype = DType::F32;
  std::span<const std::uint64_t> shape = {};
  std::span<const std::byte> bytes = {};
};

/// Number of elements. Multiplies from left to right, as the reference does: [2^64-1, 2, 0]
/// overflows although the product is 0. Throws ValidationOverflow.
WB_EXPORT std::uint64_t element_count(std::span<const std::uint64_t> shape);

/// Bytes of a contiguous tensor. Throws ValidationOverflow, or MisalignedSlice when elements of
/// less than a byte do not fill whole bytes.
WB_EXPORT std::uint64_t byte_size(DType dtype, std::span<const std::uint64_t> shape);

/// "[2, 3]"; "[]" for a scalar.
WB_EXPORT std::string shape_text(std::span<const std::uint64_t> shape);

}  // namespace weighbridge
