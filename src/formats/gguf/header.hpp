// What stands before the tensors of a GGUF file: key-value pairs, and a record for each tensor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>
#include <weighbridge/tensor.hpp>

#include "formats/gguf/tensor_type.hpp"
#include "formats/gguf/value_type.hpp"

namespace weighbridge::gguf {

inline constexpr std::string_view kMagic = "GGUF";
inline constexpr std::uint32_t kDefaultAlignment = 32;
inline constexpr std::uint32_t kLargestAlignment = 64 * 1024;
inline constexpr std::size_t kMostDimensions = 4;

/// Where the value of one pair stands. Its bytes have been walked over: they are a valid value.
struct KeyValue {
  std::string key = {};
  ValueType type = ValueType::U8;  ///< Of an array that of its items.
  bool array = false;
  std::uint64_t count = 1;   ///< Items of an array.
  std::uint64_t offset = 0;  ///< Of the value, or of the first item.
  std::uint64_t bytes = 0;   ///< Of all of them.
};

struct TensorRecord {
  std::string name = {};
  Shape shape = {};  ///< Outermost dimension first, as everywhere here and unlike in the file.
  const TensorType* type = nullptr;
  std::uint64_t offset = 0;  ///< Of the file.
  std::uint64_t bytes = 0;
};

struct FileHeader {
  std::uint32_t version = 0;
  bool big_endian = false;
  std::uint32_t alignment = kDefaultAlignment;
  std::vector<KeyValue> values;  ///< In the file's order, as are the tensors.
  std::vector<TensorRecord> tensors;
  std::uint64_t end = 0;  ///< Of the last tensor, padded.

  /// The pair of that key, or null. Linear.
  [[nodiscard]] const KeyValue* find(std::string_view key) const noexcept;
};

/// Reads and checks everything before the tensors, and that these lie as ggml's reader wants them: one
/// behind the other, each padded, inside the file. Throws MalformedCheckpoint; Unsupported for version 1,
/// arrays in arrays and types that are not known; LimitExceeded.
[[nodiscard]] FileHeader parse_file_header(const ByteSource& source, const Limits& limits);

}  // namespace weighbridge::gguf
