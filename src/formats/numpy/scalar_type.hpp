// numpy's element types and what each becomes in a safetensors file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/dtype.hpp>

namespace weighbridge::numpy {

/// What one element of an array is.
struct ScalarType {
  /// numpy's letter: b bool, i u integers, f floats, c complex, M m times, S bytes, U text, V raw
  /// bytes, O objects; x for the types of ml_dtypes, which have a name instead.
  char kind = 'V';
  std::uint64_t bytes = 0;
  bool big_endian = false;
  std::string unit = {};  ///< Of M and m: "ns", "25s"; empty when there is none.
  std::string name = {};  ///< Of x: "bfloat16".
};

/// The type of a string such as "f4", "<i8", "|b1", "U7" or "<M8[25s]"; nothing when it is none.
std::optional<ScalarType> find_scalar_type(std::string_view text);

/// The type that a class of numpy or ml_dtypes stands for: float32, bool_, void, bfloat16, ....
std::optional<ScalarType> find_scalar_class(std::string_view module, std::string_view name);

/// What it is in a safetensors file. Nothing for text, raw bytes, objects, complex128 (which can be
/// split), long doubles, and types of less than a byte. Times are I64: their unit is told apart.
std::optional<DType> find_dtype(const ScalarType& type) noexcept;

/// complex64 and complex128.
bool is_complex(const ScalarType& type) noexcept;

/// What turns stored bytes into those of a safetensors file.
Transform transform_of(const ScalarType& type) noexcept;

/// As numpy writes it: "<f4", "|S5", "<M8[ns]", "bfloat16".
std::string type_text(const ScalarType& type);

/// In words, for errors: "text", "objects", "long doubles", ....
std::string_view kind_text(const ScalarType& type) noexcept;

}  // namespace weighbridge::numpy
