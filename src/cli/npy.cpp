#include "cli/npy.hpp"

#include <string_view>

#include <weighbridge/error.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace weighbridge::cli {
namespace {

// NumPy's name for the dtype; empty where it has none.
std::string_view descr(DType dtype) {
  switch (dtype) {
    case DType::BOOL:
      return "|b1";
    case DType::U8:
      return "|u1";
    case DType::I8:
      return "|i1";
    case DType::I16:
      return "<i2";
    case DType::U16:
      return "<u2";
    case DType::F16:
      return "<f2";
    case DType::I32:
      return "<i4";
    case DType::U32:
      return "<u4";
    case DType::F32:
      return "<f4";
    case DType::C64:
      return "<c8";
    case DType::F64:
      return "<f8";
    case DType::I64:
      return "<i8";
    case DType::U64:
      return "<u8";
    default:
      return "";
  }
}

std::string tuple_text(const Shape& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

}  // namespace

std::string serialize_npy_head(DType dtype, const Shape& shape) {
  const std::string_view name = descr(dtype);
  if (name.empty()) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("NumPy has no {}: write the bytes with --format raw", dtype_name(dtype)));
  }
  constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
  std::string dict =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", name, tuple_text(shape));
  const std::size_t unpadded = kMagic.size() + 2 + dict.size() + 1;
  dict.append((64 - unpadded % 64) % 64, ' ');
  dict.push_back('\n');
  std::string head(kMagic);
  head.push_back(static_cast<char>(dict.size() & 0xFF));
  head.push_back(static_cast<char>(dict.size() >> 8));
  return head + dict;
}

}  // namespace weighbridge::cli
