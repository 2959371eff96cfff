// What an array's elements consist of: one type, or the fields of a structure.
//
// Structures within structures and arrays within structures are laid out flat: every leaf says
// where in an element it lies and how often it occurs there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weighbridge/tensor.hpp>

#include "formats/numpy/scalar_type.hpp"

namespace weighbridge::numpy {

struct Leaf {
  std::string path = {};     ///< "position.x"; empty for the whole of an element.
  std::uint64_t offset = 0;  ///< In the element.
  ScalarType type = {};
  Shape shape = {};                         ///< Of the array that the field is; mostly empty.
  std::vector<std::uint64_t> strides = {};  ///< In bytes, one for each dimension of `shape`.
};

struct DataType {
  std::uint64_t bytes = 0;  ///< Of one element.
  std::vector<Leaf> leaves = {};
  bool structured = false;  ///< Has fields, be it only one.
};

struct Field {
  std::string name;
  std::uint64_t offset = 0;
  DataType type;
};

/// No real structure has as many parts.
inline constexpr std::size_t kMostLeaves = 4096;

DataType plain_type(ScalarType type);

/// A structure. Throws MalformedCheckpoint for a field that leaves its element, LimitExceeded for more
/// than kMostLeaves leaves.
DataType structure_type(const std::vector<Field>& fields, std::uint64_t bytes);

/// Each element an array of `shape`. Throws ValidationOverflow.
DataType sub_array_type(DataType element, const Shape& shape);

/// Bytes between neighbours of each dimension of an array in row-major order.
/// Throws ValidationOverflow when the whole has 2^64 or more bytes.
std::vector<std::uint64_t> row_major_strides(const Shape& shape, std::uint64_t element_bytes);

/// The same in column-major order.
std::vector<std::uint64_t> column_major_strides(const Shape& shape, std::uint64_t element_bytes);

/// Bytes of `shape` elements. Throws ValidationOverflow.
std::uint64_t byte_count(const Shape& shape, std::uint64_t element_bytes);

bool holds_objects(const DataType& type) noexcept;

/// As in the header of an .npy file: "<f4", or "[('x', '<f4'), ('y', '<i2', (2, 3))]".
std::string type_text(const DataType& type);

}  // namespace weighbridge::numpy
