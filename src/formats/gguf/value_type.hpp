// The types of the values in GGUF's key-value pairs.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weighbridge::gguf {

/// Numbered as in a file.
enum class ValueType : std::uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  String,
  Array,
  U64,
  I64,
  F64,
};

inline constexpr std::uint32_t kValueTypes = 13;

/// "u8", …, "f64", "bool", "str": as in sidecars and on command lines; "array" for arrays.
[[nodiscard]] std::string_view value_type_name(ValueType type) noexcept;
[[nodiscard]] std::optional<ValueType> find_value_type(std::string_view name) noexcept;

/// Bytes of one value; 0 for strings and arrays, which say themselves how long they are.
[[nodiscard]] std::uint32_t value_bytes(ValueType type) noexcept;

}  // namespace weighbridge::gguf
