// One numpy array of a file, wherever it was found, and the tensors that it becomes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/checkpoint.hpp>
#include <weighbridge/tensor.hpp>

#include "formats/numpy/dtype.hpp"
#include "formats/pickle/graph.hpp"

namespace weighbridge::numpy {

/// The order in which the elements of an array follow each other in a file.
enum class Order : std::uint8_t {
  RowMajor,     ///< 'C': the last index runs fastest.
  ColumnMajor,  ///< 'F': the first index runs fastest.
};

/// Its data lies within `source`: that was checked when it was made.
struct Array {
  std::shared_ptr<const DataType> type;
  Shape shape = {};
  std::vector<std::uint64_t> strides = {};  ///< In bytes, one for each dimension.
  SourcePtr source = {};
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  /// Of an array of objects: the List of its elements in row-major order. Such an array has no source.
  pickle::NodeId items = pickle::kNoNode;
  /// Of a masked array: one byte for each element, laid out as the elements are.
  SourcePtr mask = nullptr;
  bool scalar = false;  ///< A numpy scalar and no array.
};

/// An array over `source` from `offset` on. Throws MalformedCheckpoint unless exactly its bytes follow
/// up to `offset` + `bytes`, ValidationOverflow, LimitExceeded for too many dimensions.
Array make_array(std::shared_ptr<const DataType> type, Shape shape, Order order, SourcePtr source,
                 std::uint64_t offset, std::uint64_t bytes, const Limits& limits);

/// Whether any part of it can be a tensor: numbers of a kind that safetensors has, or complex128.
bool holds_numbers(const Array& array) noexcept;

/// Whether a part of it cannot be a tensor: text, raw bytes, long doubles.
bool holds_other(const Array& array) noexcept;

/// One tensor for each field that holds numbers, "name.field", or one tensor "name"; also "name.mask".
/// Throws Unsupported for complex128 that is not to be split. Messages do not name the tensor.
std::vector<TensorEntry> tensors_of(const Array& array, const std::string& name, const OpenOptions& options);

/// "array <f4 [2, 3]"
std::string summary_of(const Array& array);

}  // namespace weighbridge::numpy
