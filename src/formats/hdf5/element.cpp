#include "formats/hdf5/element.hpp"

#include <algorithm>
#include <array>

namespace weighbridge::hdf5 {
namespace {

struct FloatRow {
  FloatLayout layout;
  std::uint64_t bytes;
  DType dtype;
};

/// E4M3 is not among them: the bits do not tell which of its kinds it is.
constexpr std::array kFloats = {
    FloatRow{{10, 5, 0, 10, 15, true}, 2, DType::F16},   FloatRow{{7, 8, 0, 7, 127, true}, 2, DType::BF16},
    FloatRow{{23, 8, 0, 23, 127, true}, 4, DType::F32},  FloatRow{{52, 11, 0, 52, 1023, true}, 8, DType::F64},
    FloatRow{{2, 5, 0, 2, 15, true}, 1, DType::F8_E5M2},
};

std::optional<DType> integer_dtype(const SimpleType& type) {
  switch (type.bytes) {
    case 1:
      return type.is_signed ? DType::I8 : DType::U8;
    case 2:
      return type.is_signed ? DType::I16 : DType::U16;
    case 4:
      return type.is_signed ? DType::I32 : DType::U32;
    case 8:
      return type.is_signed ? DType::I64 : DType::U64;
    default:
      return std::nullopt;
  }
}

std::optional<DType> number_dtype(const SimpleType& type) {
  if (!type.fills_bytes) return std::nullopt;
  if (type.kind == TypeClass::Integer) return integer_dtype(type);
  if (type.kind != TypeClass::Float) return std::nullopt;
  const auto row = std::ranges::find_if(kFloats, [&](const FloatRow& candidate) {
    return candidate.bytes == type.bytes && candidate.layout == type.layout;
  });
  return row == kFloats.end() ? std::nullopt : std::optional(row->dtype);
}

Transform swap_of(const SimpleType& type) {
  if (!type.big_endian || type.bytes == 1) return Transform::None;
  if (type.bytes == 2) return Transform::Swap2;
  return type.bytes == 4 ? Transform::Swap4 : Transform::Swap8;
}

std::optional<Element> number_element(const SimpleType& type) {
  const auto dtype = number_dtype(type);
  if (!dtype) return std::nullopt;
  return Element{.dtype = *dtype, .transform = swap_of(type)};
}

/// h5py's bool: {FALSE = 0, TRUE = 1} in one byte.
bool is_boolean(const Type& type) {
  if (type.base.bytes != 1 || type.members.size() != 2) return false;
  return std::ranges::all_of(type.members, [](const Member& member) {
    return (member.name == "FALSE" && member.value == 0) || (member.name == "TRUE" && member.value == 1);
  });
}

/// h5py's complex numbers: {r, i}, nothing between them.
std::optional<Element> complex_element(const Type& type) {
  if (type.members.size() != 2) return std::nullopt;
  const Member& real = type.members[0];
  const Member& imaginary = type.members[1];
  const auto part = number_element(real.type);
  const bool whole = real.name == "r" && imaginary.name == "i" && real.offset == 0 &&
                     imaginary.offset == real.type.bytes && type.simple.bytes == 2 * real.type.bytes;
  const auto other = number_element(imaginary.type);
  if (!whole || !part || !other || part->dtype != other->dtype || part->transform != other->transform) {
    return std::nullopt;
  }
  if (part->dtype == DType::F32) return Element{.dtype = DType::C64, .transform = part->transform};
  if (part->dtype == DType::F64)
    return Element{.dtype = DType::F64, .transform = part->transform, .in_pairs = true};
  return std::nullopt;
}

}  // namespace

std::optional<Element> find_element(const Type& type, std::optional<std::string_view> dtype_text) {
  switch (type.simple.kind) {
    case TypeClass::Integer:
    case TypeClass::Float:
      return number_element(type.simple);
    case TypeClass::Enum:
      if (is_boolean(type)) return Element{.dtype = DType::BOOL, .transform = Transform::Booleans};
      return number_element(type.base);
    case TypeClass::Opaque:
      if (type.simple.bytes != 2 || dtype_text != "bfloat16") return std::nullopt;
      return Element{.dtype = DType::BF16};
    case TypeClass::Compound:
      return complex_element(type);
    case TypeClass::String:
    case TypeClass::Other:
      break;
  }
  return std::nullopt;
}

}  // namespace weighbridge::hdf5
