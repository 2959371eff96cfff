#include "formats/tensorflow/element.hpp"

#include <algorithm>
#include <array>

namespace weighbridge::tensorflow {
namespace {

struct Row {
  std::uint64_t type;
  std::string_view name;
  std::optional<DType> dtype = std::nullopt;
};

constexpr std::array kRows = {
    Row{1, "DT_FLOAT", DType::F32},
    Row{2, "DT_DOUBLE", DType::F64},
    Row{3, "DT_INT32", DType::I32},
    Row{4, "DT_UINT8", DType::U8},
    Row{5, "DT_INT16", DType::I16},
    Row{6, "DT_INT8", DType::I8},
    Row{kStringType, "DT_STRING"},
    Row{8, "DT_COMPLEX64", DType::C64},
    Row{9, "DT_INT64", DType::I64},
    Row{10, "DT_BOOL", DType::BOOL},
    Row{11, "DT_QINT8", DType::I8},
    Row{12, "DT_QUINT8", DType::U8},
    Row{13, "DT_QINT32", DType::I32},
    Row{14, "DT_BFLOAT16", DType::BF16},
    Row{15, "DT_QINT16", DType::I16},
    Row{16, "DT_QUINT16", DType::U16},
    Row{17, "DT_UINT16", DType::U16},
    Row{18, "DT_COMPLEX128"},
    Row{19, "DT_HALF", DType::F16},
    Row{20, "DT_RESOURCE"},
    Row{21, "DT_VARIANT"},
    Row{22, "DT_UINT32", DType::U32},
    Row{23, "DT_UINT64", DType::U64},
    Row{24, "DT_FLOAT8_E5M2", DType::F8_E5M2},
    Row{25, "DT_FLOAT8_E4M3FN", DType::F8_E4M3},
    Row{26, "DT_FLOAT8_E4M3FNUZ", DType::F8_E4M3FNUZ},
    Row{27, "DT_FLOAT8_E4M3B11FNUZ"},
    Row{28, "DT_FLOAT8_E5M2FNUZ", DType::F8_E5M2FNUZ},
    Row{29, "DT_INT4"},
    Row{30, "DT_UINT4"},
    Row{31, "DT_INT2"},
    Row{32, "DT_UINT2"},
};

const Row* find_row(std::uint64_t type) noexcept {
  const auto found = std::ranges::find(kRows, type, &Row::type);
  return found == kRows.end() ? nullptr : &*found;
}

}  // namespace

std::optional<DType> find_dtype(std::uint64_t type) noexcept {
  const Row* const row = find_row(type);
  return row == nullptr ? std::nullopt : row->dtype;
}

std::string_view type_name(std::uint64_t type) noexcept {
  const Row* const row = find_row(type);
  return row == nullptr ? "an unknown type" : row->name;
}

}  // namespace weighbridge::tensorflow
