#include "formats/torch/element_type.hpp"

#include <algorithm>
#include <array>
#include <ranges>

namespace weighbridge::torch {
namespace {

constexpr std::optional<DType> kNone = std::nullopt;

constexpr std::array kTypes = {
    ElementType{"float64", 8, 8, DType::F64},
    ElementType{"float32", 4, 4, DType::F32},
    ElementType{"float16", 2, 2, DType::F16},
    ElementType{"bfloat16", 2, 2, DType::BF16},
    ElementType{"int64", 8, 8, DType::I64},
    ElementType{"int32", 4, 4, DType::I32},
    ElementType{"int16", 2, 2, DType::I16},
    ElementType{"int8", 1, 1, DType::I8},
    ElementType{"uint8", 1, 1, DType::U8},
    ElementType{"uint16", 2, 2, DType::U16},
    ElementType{"uint32", 4, 4, DType::U32},
    ElementType{"uint64", 8, 8, DType::U64},
    ElementType{"bool", 1, 1, DType::BOOL},
    ElementType{"complex32", 4, 2, kNone},
    ElementType{"complex64", 8, 4, DType::C64},
    ElementType{"complex128", 16, 8, kNone},
    ElementType{"float8_e4m3fn", 1, 1, DType::F8_E4M3},
    ElementType{"float8_e5m2", 1, 1, DType::F8_E5M2},
    ElementType{"float8_e4m3fnuz", 1, 1, DType::F8_E4M3FNUZ},
    ElementType{"float8_e5m2fnuz", 1, 1, DType::F8_E5M2FNUZ},
    ElementType{"float8_e8m0fnu", 1, 1, DType::F8_E8M0},
    ElementType{"float4_e2m1fn_x2", 1, 1, DType::F4},
    ElementType{"bits8", 1, 1, DType::U8},
    ElementType{"bits16", 2, 2, DType::U16},
    ElementType{"bits1x8", 1, 1, DType::U8},
    ElementType{"bits2x4", 1, 1, DType::U8},
    ElementType{"bits4x2", 1, 1, DType::U8},
    ElementType{"int1", 1, 1, DType::U8},
    ElementType{"int2", 1, 1, DType::U8},
    ElementType{"int3", 1, 1, DType::U8},
    ElementType{"int4", 1, 1, DType::U8},
    ElementType{"int5", 1, 1, DType::U8},
    ElementType{"int6", 1, 1, DType::U8},
    ElementType{"int7", 1, 1, DType::U8},
    ElementType{"uint1", 1, 1, DType::U8},
    ElementType{"uint2", 1, 1, DType::U8},
    ElementType{"uint3", 1, 1, DType::U8},
    ElementType{"uint4", 1, 1, DType::U8},
    ElementType{"uint5", 1, 1, DType::U8},
    ElementType{"uint6", 1, 1, DType::U8},
    ElementType{"uint7", 1, 1, DType::U8},
    ElementType{"qint8", 1, 1, DType::I8},
    ElementType{"quint8", 1, 1, DType::U8},
    ElementType{"qint32", 4, 4, DType::I32},
    ElementType{"quint4x2", 1, 1, DType::U8},
    ElementType{"quint2x4", 1, 1, DType::U8},
};

struct Alias {
  std::string_view from;
  std::string_view to;
};

constexpr std::array kAliases = {
    Alias{"double", "float64"},  Alias{"float", "float32"},    Alias{"half", "float16"},
    Alias{"long", "int64"},      Alias{"int", "int32"},        Alias{"short", "int16"},
    Alias{"chalf", "complex32"}, Alias{"cfloat", "complex64"}, Alias{"cdouble", "complex128"},
};

constexpr std::array kStorages = {
    Alias{"DoubleStorage", "float64"},
    Alias{"FloatStorage", "float32"},
    Alias{"HalfStorage", "float16"},
    Alias{"BFloat16Storage", "bfloat16"},
    Alias{"LongStorage", "int64"},
    Alias{"IntStorage", "int32"},
    Alias{"ShortStorage", "int16"},
    Alias{"CharStorage", "int8"},
    Alias{"ByteStorage", "uint8"},
    Alias{"BoolStorage", "bool"},
    Alias{"ComplexFloatStorage", "complex64"},
    Alias{"ComplexDoubleStorage", "complex128"},
    Alias{"QInt8Storage", "qint8"},
    Alias{"QUInt8Storage", "quint8"},
    Alias{"QInt32Storage", "qint32"},
    Alias{"QUInt4x2Storage", "quint4x2"},
    Alias{"QUInt2x4Storage", "quint2x4"},
    Alias{"UntypedStorage", "uint8"},
    Alias{"_UntypedStorage", "uint8"},
    Alias{"TypedStorage", "uint8"},
    Alias{"_TypedStorage", "uint8"},
};

std::string_view translate(std::span<const Alias> table, std::string_view name) noexcept {
  const auto found = std::ranges::find(table, name, &Alias::from);
  return found == table.end() ? std::string_view{} : found->to;
}

}  // namespace

const ElementType* find_element_type(std::string_view name) noexcept {
  const std::string_view alias = translate(kAliases, name);
  const auto found = std::ranges::find(kTypes, alias.empty() ? name : alias, &ElementType::name);
  return found == kTypes.end() ? nullptr : &*found;
}

const ElementType* find_storage_type(std::string_view class_name) noexcept {
  const std::string_view name = translate(kStorages, class_name);
  return name.empty() ? nullptr : find_element_type(name);
}

bool has_own_dtype(const ElementType& type) noexcept {
  // Of the types that share a dtype, the one that it is made for stands first.
  const auto first = std::ranges::find(kTypes, type.dtype, &ElementType::dtype);
  return type.dtype && first->name == type.name;
}

Transform transform_of(const ElementType& type, bool big_endian) noexcept {
  if (type.dtype == DType::BOOL) return Transform::Booleans;
  if (!big_endian) return Transform::None;
  switch (type.component) {
    case 2:
      return Transform::Swap2;
    case 4:
      return Transform::Swap4;
    case 8:
      return Transform::Swap8;
    default:
      return Transform::None;
  }
}

}  // namespace weighbridge::torch
