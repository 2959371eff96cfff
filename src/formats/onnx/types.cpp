#include "formats/onnx/types.hpp"

#include <algorithm>
#include <array>

namespace weighbridge::onnx {
namespace {

constexpr auto kTypes = std::to_array<ElementType>({
    {1, "FLOAT", 32, DType::F32, Entries::Float, 32},
    {2, "UINT8", 8, DType::U8, Entries::Int32, 8},
    {3, "INT8", 8, DType::I8, Entries::Int32, 8},
    {4, "UINT16", 16, DType::U16, Entries::Int32, 16},
    {5, "INT16", 16, DType::I16, Entries::Int32, 16},
    {6, "INT32", 32, DType::I32, Entries::Int32, 32},
    {7, "INT64", 64, DType::I64, Entries::Int64, 64},
    {8, "STRING", 0, {}, Entries::None, 0},
    {9, "BOOL", 8, DType::BOOL, Entries::Int32, 8},
    {10, "FLOAT16", 16, DType::F16, Entries::Int32, 16},
    {11, "DOUBLE", 64, DType::F64, Entries::Double, 64},
    {12, "UINT32", 32, DType::U32, Entries::Uint64, 32},
    {13, "UINT64", 64, DType::U64, Entries::Uint64, 64},
    {14, "COMPLEX64", 64, DType::C64, Entries::Float, 32},
    {15, "COMPLEX128", 128, {}, Entries::Double, 64},
    {16, "BFLOAT16", 16, DType::BF16, Entries::Int32, 16},
    {17, "FLOAT8E4M3FN", 8, DType::F8_E4M3, Entries::Int32, 8},
    {18, "FLOAT8E4M3FNUZ", 8, DType::F8_E4M3FNUZ, Entries::Int32, 8},
    {19, "FLOAT8E5M2", 8, DType::F8_E5M2, Entries::Int32, 8},
    {20, "FLOAT8E5M2FNUZ", 8, DType::F8_E5M2FNUZ, Entries::Int32, 8},
    {21, "UINT4", 4, {}, Entries::Int32, 8},
    {22, "INT4", 4, {}, Entries::Int32, 8},
    {23, "FLOAT4E2M1", 4, DType::F4, Entries::Int32, 8},
    {24, "FLOAT8E8M0", 8, DType::F8_E8M0, Entries::Int32, 8},
    {25, "UINT2", 2, {}, Entries::Int32, 8},
    {26, "INT2", 2, {}, Entries::Int32, 8},
    {27, "FLOAT6E2M3", 6, DType::F6_E2M3, Entries::Int32, 6},
    {28, "FLOAT6E3M2", 6, DType::F6_E3M2, Entries::Int32, 6},
});

}  // namespace

const ElementType* find_element_type(std::int32_t number) noexcept {
  const auto* const found = std::ranges::find(kTypes, number, &ElementType::number);
  return found == kTypes.end() ? nullptr : found;
}

std::uint32_t field_of(Entries entries) noexcept {
  switch (entries) {
    case Entries::None:
      return 0;
    case Entries::Float:
      return 4;
    case Entries::Int32:
      return 5;
    case Entries::Int64:
      return 7;
    case Entries::Double:
      return 10;
    case Entries::Uint64:
      return 11;
  }
  return 0;
}

}  // namespace weighbridge::onnx
