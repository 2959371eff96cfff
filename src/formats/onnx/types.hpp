// The element types of ONNX, and what each becomes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <weighbridge/dtype.hpp>

namespace weighbridge::onnx {

/// How the entries of one of TensorProto's typed fields stand in it.
enum class Entries : std::uint8_t { None, Float, Double, Int32, Int64, Uint64 };

struct ElementType {
  std::int32_t number = 0;  ///< TensorProto.DataType.
  std::string_view name;
  std::uint32_t bits = 0;           ///< Of one element; 0 where there is no fixed size.
  std::optional<DType> dtype = {};  ///< Nothing where safetensors has none.
  Entries entries = Entries::None;  ///< The typed field that can hold it.
  std::uint32_t entry_bits = 0;     ///< What one entry of that field gives.
};

/// TensorProto.DataType: what the code has to know by name.
inline constexpr std::int32_t kUndefined = 0;
inline constexpr std::int32_t kFloat = 1;
inline constexpr std::int32_t kInt64 = 7;
inline constexpr std::int32_t kString = 8;
inline constexpr std::int32_t kComplex64 = 14;
inline constexpr std::int32_t kComplex128 = 15;

/// Nothing for a number that is not known.
[[nodiscard]] const ElementType* find_element_type(std::int32_t number) noexcept;

/// The number of TensorProto's field for such entries; 0 for None.
[[nodiscard]] std::uint32_t field_of(Entries entries) noexcept;

/// Whether it has less than a byte and no dtype in safetensors, as int4 has.
[[nodiscard]] inline bool is_raw_integer(const ElementType& type) noexcept {
  return type.bits != 0 && type.bits < 8 && !type.dtype;
}

}  // namespace weighbridge::onnx
