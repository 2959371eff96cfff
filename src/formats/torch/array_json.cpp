#include "formats/torch/array_json.hpp"

#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/endian.hpp"
#include "base/text.hpp"
#include "formats/torch/json_scalars.hpp"

namespace weighbridge::torch {
namespace {

bool is_row_major(const numpy::Array& array) {
  return array.strides == numpy::row_major_strides(array.shape, array.type->bytes);
}

void append_bytes(std::string& out, const numpy::Array& array, const Limits& limits) {
  if (!is_row_major(array)) out += fmt::format(",\"$strides\":[{}]", fmt::join(array.strides, ","));
  out += ",\"$bytes\":\"";
  append_base64(out, *sub_source(array.source, array.offset, array.bytes), limits);
  out += '"';
}

template <typename Number>
std::string number_text(std::string_view bytes, bool big_endian) {
  const auto value = load_le<Number>(bytes.data());
  return fmt::to_string(big_endian ? reverse_bytes(value) : value);
}

template <typename Real, typename Bits>
std::string real_text(std::string_view bytes, bool big_endian) {
  const auto bits = load_le<Bits>(bytes.data());
  const Real value = std::bit_cast<Real>(big_endian ? reverse_bytes(bits) : bits);
  return std::isfinite(value) ? fmt::format("{}", value) : std::string();
}

std::string integer_text(std::string_view bytes, const numpy::ScalarType& type) {
  const bool is_signed = type.kind == 'i';
  switch (type.bytes) {
    case 1:
      return is_signed ? fmt::to_string(static_cast<int>(static_cast<signed char>(bytes[0])))
                       : fmt::to_string(static_cast<unsigned>(static_cast<unsigned char>(bytes[0])));
    case 2:
      return is_signed ? number_text<std::int16_t>(bytes, type.big_endian)
                       : number_text<std::uint16_t>(bytes, type.big_endian);
    case 4:
      return is_signed ? number_text<std::int32_t>(bytes, type.big_endian)
                       : number_text<std::uint32_t>(bytes, type.big_endian);
    default:
      return is_signed ? number_text<std::int64_t>(bytes, type.big_endian)
                       : number_text<std::uint64_t>(bytes, type.big_endian);
  }
}

/// A scalar that JSON has a number for, for people: the bytes are what counts.
std::string scalar_text(const numpy::Array& array) {
  const numpy::ScalarType& type = array.type->leaves.front().type;
  const Buffer content = array.source->read(array.offset, array.bytes);
  const auto bytes = content.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (type.kind == 'b') return text[0] != 0 ? "true" : "false";
  if (type.kind == 'i' || type.kind == 'u') return integer_text(text, type);
  if (type.kind != 'f') return {};
  if (type.bytes == 4) return real_text<float, std::uint32_t>(text, type.big_endian);
  return type.bytes == 8 ? real_text<double, std::uint64_t>(text, type.big_endian) : std::string();
}

}  // namespace

void append_array_members(std::string& out, const numpy::Array& array, const Limits& limits) {
  out += ",\"$numpy\":";
  append_json_string(out, numpy::type_text(*array.type));
  if (!numpy::holds_other(array)) return;
  out += fmt::format(",\"$shape\":[{}]", fmt::join(array.shape, ","));
  append_bytes(out, array, limits);
}

void append_array(std::string& out, const numpy::Array& array, const Limits& limits) {
  out += fmt::format("\"{}\":", array.scalar ? "$scalar" : "$ndarray");
  append_json_string(out, numpy::type_text(*array.type));
  if (!array.scalar) out += fmt::format(",\"$shape\":[{}]", fmt::join(array.shape, ","));
  if (array.items != pickle::kNoNode) return;
  const std::string value = array.scalar && !array.type->structured ? scalar_text(array) : std::string();
  if (!value.empty()) out += fmt::format(",\"$value\":{}", value);
  append_bytes(out, array, limits);
}

}  // namespace weighbridge::torch
