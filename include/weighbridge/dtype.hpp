// Element types of the safetensors format.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <weighbridge/export.hpp>

namespace weighbridge {

/// The 22 dtypes, in the reference's order: writers sort tensors by it, descending.
/// Each enumerator is spelled as in the header of a file.
enum class DType : std::uint8_t {
  BOOL,
  F4,       ///< OCP MX e2m1; two elements a byte, low nibble first.
  F6_E2M3,  ///< OCP MX, 6 bits.
  F6_E3M2,  ///< OCP MX, 6 bits.
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,      ///< OCP MX scale: an exponent alone.
  F8_E4M3FNUZ,  ///< Finite, no negative zero.
  F8_E5M2FNUZ,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,  ///< Complex: two F32, real part first.
  F64,
  I64,
  U64,
};

inline constexpr std::size_t kDTypeCount = 22;

namespace detail {
struct DTypeRow {
  std::string_view name;
  std::uint8_t bits;
};
inline constexpr std::array<DTypeRow, kDTypeCount> kDTypes = {{
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
}};
}  // namespace detail

/// Bits of one element: 4, 6, 8, 16, 32 or 64.
constexpr std::uint32_t bit_width(DType dtype) noexcept {
  return detail::kDTypes[static_cast<std::size_t>(dtype)].bits;
}

/// The name in a file's header, e.g. "BF16".
constexpr std::string_view dtype_name(DType dtype) noexcept {
  return detail::kDTypes[static_cast<std::size_t>(dtype)].name;
}

/// The dtype of that exact, case-sensitive name.
WB_EXPORT std::optional<DType> find_dtype(std::string_view name) noexcept;

}  // namespace weighbridge
