#include "buffer_format.hpp"

#include <bit>
#include <string_view>

namespace weighbridge::python {
namespace {

enum class Kind { None, Bool, Signed, Unsigned, Float, Complex };

Kind kind_of(std::string_view letters) {
  constexpr std::string_view kSigned = "bhilqn";
  constexpr std::string_view kUnsigned = "BHILQN";
  if (letters == "Zf") return Kind::Complex;
  if (letters.size() != 1) return Kind::None;
  if (letters == "?") return Kind::Bool;
  if (kSigned.find(letters[0]) != std::string_view::npos) return Kind::Signed;
  if (kUnsigned.find(letters[0]) != std::string_view::npos) return Kind::Unsigned;
  return letters == "e" || letters == "f" || letters == "d" ? Kind::Float : Kind::None;
}

struct Row {
  Kind kind;
  Py_ssize_t bytes;
  DType dtype;
};

constexpr Row kRows[] = {
    {Kind::Bool, 1, DType::BOOL},    {Kind::Signed, 1, DType::I8},    {Kind::Signed, 2, DType::I16},
    {Kind::Signed, 4, DType::I32},   {Kind::Signed, 8, DType::I64},   {Kind::Unsigned, 1, DType::U8},
    {Kind::Unsigned, 2, DType::U16}, {Kind::Unsigned, 4, DType::U32}, {Kind::Unsigned, 8, DType::U64},
    {Kind::Float, 2, DType::F16},    {Kind::Float, 4, DType::F32},    {Kind::Float, 8, DType::F64},
    {Kind::Complex, 8, DType::C64},
};

std::optional<DType> find_row(Kind kind, Py_ssize_t bytes) {
  for (const Row& row : kRows) {
    if (row.kind == kind && row.bytes == bytes) return row.dtype;
  }
  return std::nullopt;
}

bool is_big_endian(char order) {
  if (order == '>' || order == '!') return true;
  return order != '<' && std::endian::native == std::endian::big;
}

Transform swap_of(Kind kind, Py_ssize_t bytes) {
  const Py_ssize_t width = kind == Kind::Complex ? bytes / 2 : bytes;
  if (width == 2) return Transform::Swap2;
  if (width == 4) return Transform::Swap4;
  return width == 8 ? Transform::Swap8 : Transform::None;
}

}  // namespace

std::optional<ElementFormat> find_element_format(const Py_buffer& view) {
  std::string_view letters = view.format == nullptr ? "B" : view.format;
  char order = '@';
  if (!letters.empty() && std::string_view("@=<>!").find(letters[0]) != std::string_view::npos) {
    order = letters[0];
    letters.remove_prefix(1);
  }
  const Kind kind = kind_of(letters);
  const auto dtype = find_row(kind, view.itemsize);
  if (!dtype) return std::nullopt;
  return ElementFormat{*dtype, is_big_endian(order) ? swap_of(kind, view.itemsize) : Transform::None};
}

}  // namespace weighbridge::python
