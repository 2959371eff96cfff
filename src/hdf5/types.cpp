#include "hdf5/types.hpp"

#include <memory>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "hdf5/failure.hpp"

namespace weighbridge::hdf5 {
namespace {

constexpr int kMostMembers = 4096;

struct Freed {
  void operator()(char* text) const noexcept { H5free_memory(text); }
};

std::string member_name(hid_t type, unsigned index, std::string_view path) {
  const std::unique_ptr<char, Freed> name(H5Tget_member_name(type, index));
  if (name == nullptr) throw Error(failure("a field's name", path));
  return name.get();
}

TypeClass class_of(H5T_class_t kind) {
  switch (kind) {
    case H5T_INTEGER:
      return TypeClass::Integer;
    case H5T_FLOAT:
      return TypeClass::Float;
    case H5T_STRING:
      return TypeClass::String;
    case H5T_OPAQUE:
      return TypeClass::Opaque;
    case H5T_ENUM:
      return TypeClass::Enum;
    case H5T_COMPOUND:
      return TypeClass::Compound;
    default:
      return TypeClass::Other;
  }
}

bool is_number(TypeClass kind) { return kind == TypeClass::Integer || kind == TypeClass::Float; }

/// Numbers that leave bits unused, or keep their bytes in VAX order, are none that we know.
void describe_number(hid_t type, SimpleType& simple) {
  const H5T_order_t order = H5Tget_order(type);
  simple.big_endian = order == H5T_ORDER_BE;
  simple.fills_bytes = (order == H5T_ORDER_BE || order == H5T_ORDER_LE) && H5Tget_offset(type) == 0 &&
                       H5Tget_precision(type) == 8 * simple.bytes;
  if (simple.kind == TypeClass::Integer) {
    simple.is_signed = H5Tget_sign(type) == H5T_SGN_2;
    return;
  }
  std::size_t sign = 0;
  std::size_t exponent_at = 0;
  std::size_t exponent_bits = 0;
  std::size_t mantissa_at = 0;
  std::size_t mantissa_bits = 0;
  H5Tget_fields(type, &sign, &exponent_at, &exponent_bits, &mantissa_at, &mantissa_bits);
  simple.fills_bytes = simple.fills_bytes && sign == 8 * simple.bytes - 1;
  simple.layout = {.exponent_at = static_cast<std::uint32_t>(exponent_at),
                   .exponent_bits = static_cast<std::uint32_t>(exponent_bits),
                   .mantissa_at = static_cast<std::uint32_t>(mantissa_at),
                   .mantissa_bits = static_cast<std::uint32_t>(mantissa_bits),
                   .bias = H5Tget_ebias(type),
                   .leading_one = H5Tget_norm(type) == H5T_NORM_IMPLIED};
}

SimpleType describe_simple(hid_t type, std::string_view path) {
  SimpleType simple{.kind = class_of(H5Tget_class(type)), .bytes = H5Tget_size(type)};
  if (simple.bytes == 0) throw Error(failure("a type", path));
  if (is_number(simple.kind)) describe_number(type, simple);
  return simple;
}

unsigned count_members(hid_t type, std::string_view path) {
  const int count = H5Tget_nmembers(type);
  if (count < 0) throw Error(failure("a type", path));
  if (count <= kMostMembers) return static_cast<unsigned>(count);
  throw Error(
      ErrorCode::LimitExceeded,
      fmt::format("'{}' has a type of {} fields, the limit is {}", printable(path), count, kMostMembers),
      std::string(path));
}

void describe_compound(hid_t type, Type& out, std::string_view path) {
  const unsigned count = count_members(type, path);
  for (unsigned i = 0; i < count; ++i) {
    const Handle field = checked(H5Tget_member_type(type, i), H5Tclose, "a field's type", path);
    out.members.push_back({.name = member_name(type, i, path),
                           .type = describe_simple(field.get(), path),
                           .offset = H5Tget_member_offset(type, i)});
  }
}

/// Values of one byte, of which booleans are; others are integers whose names are left out.
void describe_enumeration(hid_t type, Type& out, std::string_view path) {
  const Handle base = checked(H5Tget_super(type), H5Tclose, "an enumeration", path);
  out.base = describe_simple(base.get(), path);
  if (out.base.bytes != 1) return;
  const unsigned count = count_members(type, path);
  for (unsigned i = 0; i < count; ++i) {
    signed char value = 0;
    if (H5Tget_member_value(type, i, &value) < 0) throw Error(failure("an enumeration", path));
    out.members.push_back({.name = member_name(type, i, path), .value = value});
  }
}

std::string text_of(hid_t type, const Type& described) {
  const std::uint64_t bits = 8 * described.simple.bytes;
  switch (described.simple.kind) {
    case TypeClass::Integer:
      return fmt::format("{}-bit integer", bits);
    case TypeClass::Float:
      return fmt::format("{}-bit float", bits);
    case TypeClass::String:
      return described.variable ? "string" : fmt::format("string of {} bytes", described.simple.bytes);
    case TypeClass::Opaque:
      return fmt::format("{} opaque bytes", described.simple.bytes);
    case TypeClass::Enum:
      return fmt::format("enumeration of {} bits", bits);
    case TypeClass::Compound:
      return fmt::format("compound of {} fields", described.members.size());
    case TypeClass::Other:
      break;
  }
  switch (H5Tget_class(type)) {
    case H5T_VLEN:
      return "sequence of variable length";
    case H5T_ARRAY:
      return "array type";
    case H5T_BITFIELD:
      return fmt::format("bit field of {} bits", bits);
    case H5T_TIME:
      return "time";
    default:
      return "unknown type";
  }
}

}  // namespace

bool holds_references(hid_t type) { return H5Tdetect_class(type, H5T_REFERENCE) > 0; }

Type describe_type(hid_t type, std::string_view path) {
  if (holds_references(type)) {
    throw Error(
        ErrorCode::Unsupported,
        fmt::format("'{}' holds references to objects or regions, which are not followed", printable(path)),
        std::string(path));
  }
  Type out{.simple = describe_simple(type, path)};
  out.variable = out.simple.kind == TypeClass::String && H5Tis_variable_str(type) > 0;
  if (out.simple.kind == TypeClass::Compound) describe_compound(type, out, path);
  if (out.simple.kind == TypeClass::Enum) describe_enumeration(type, out, path);
  out.text = text_of(type, out);
  return out;
}

}  // namespace weighbridge::hdf5
