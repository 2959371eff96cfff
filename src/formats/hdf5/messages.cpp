#include "formats/hdf5/messages.hpp"

#include <algorithm>
#include <array>

#include <weighbridge/error.hpp>
#include <weighbridge/text.hpp>

#include <fmt/format.h>

namespace weighbridge::hdf5 {
namespace {

enum class Message : std::uint16_t {
  Dataspace = 0x01,
  Datatype = 0x03,
  FillValue = 0x05,
  Layout = 0x08,
  Attribute = 0x0C,
  SymbolTable = 0x11,
};

/// First byte of a type: version 1, and the class.
constexpr std::uint64_t kVersion = 0x10;
enum class Class : std::uint8_t { Integer = 0, Float = 1, Opaque = 5, Compound = 6, Enum = 8, Variable = 9 };

Fields type_of(Class kind, std::uint64_t bits, std::uint64_t bytes) {
  Fields out;
  out.u8(kVersion | static_cast<std::uint64_t>(kind)).u16(bits & 0xFFFF).u8(bits >> 16).u32(bytes);
  return out;
}

std::string integer(std::uint64_t bytes, bool is_signed) {
  return type_of(Class::Integer, is_signed ? 0x08 : 0, bytes).u16(0).u16(8 * bytes).take();
}

std::string real(std::uint64_t bytes, std::uint64_t exponent_bits, std::uint64_t bias) {
  constexpr std::uint64_t kLeadingOne = 0x20;
  const std::uint64_t sign = 8 * bytes - 1;
  const std::uint64_t mantissa = sign - exponent_bits;
  Fields out = type_of(Class::Float, kLeadingOne | sign << 8, bytes);
  out.u16(0).u16(8 * bytes).u8(mantissa).u8(exponent_bits).u8(0).u8(mantissa).u32(bias);
  return out.take();
}

std::string boolean() {
  Fields out = type_of(Class::Enum, 2, 1);
  out.text(integer(1, true)).text("FALSE").zeros(3).text("TRUE").zeros(4).u8(0).u8(1);
  return out.take();
}

std::string complex_pair() {
  Fields out = type_of(Class::Compound, 2, 8);
  for (const auto& [name, offset] : {std::pair{'r', 0}, std::pair{'i', 4}}) {
    out.text(std::string(1, name)).zeros(7).u32(static_cast<std::uint64_t>(offset)).zeros(28);
    out.text(real(4, 8, 127));
  }
  return out.take();
}

std::string dataspace(const Shape& shape) {
  Fields out;
  out.u8(1).u8(shape.size()).zeros(6);
  for (const std::uint64_t size : shape) out.u64(size);
  return out.take();
}

std::string fill_value() {
  constexpr std::uint64_t kLate = 2;
  constexpr std::uint64_t kIfSet = 2;
  return Fields().u8(2).u8(kLate).u8(kIfSet).u8(1).u32(0).take();
}

std::string contiguous(std::uint64_t address, std::uint64_t bytes) {
  return Fields().u8(3).u8(1).u64(bytes == 0 ? kUndefined : address).u64(bytes).pad().take();
}

/// "dtype" = "bfloat16", a text of variable length in UTF-8.
std::string bfloat16_attribute(std::uint64_t heap) {
  constexpr std::string_view kName{"dtype\0", 6};
  constexpr std::uint64_t kUtf8Text = 0x0101;
  Fields type = type_of(Class::Variable, kUtf8Text, 16);
  type.text(integer(1, false));
  Fields out;
  out.u8(1).u8(0).u16(kName.size()).u16(type.size()).u16(8);
  out.text(kName).pad().text(type.take()).pad().text(dataspace({}));
  return out.u32(8).u64(heap).u32(1).take();
}

void append_message(Fields& out, Message kind, const std::string& body) {
  Fields padded;
  padded.text(body).pad();
  out.u16(static_cast<std::uint64_t>(kind)).u16(padded.size()).u8(0).zeros(3).text(padded.take());
}

std::string object_header(std::uint64_t messages, std::uint32_t links, const std::string& body) {
  return Fields().u8(1).u8(0).u16(messages).u32(links).u32(body.size()).zeros(4).text(body).take();
}

}  // namespace

bool has_datatype(DType dtype) noexcept {
  using enum DType;
  constexpr std::array kTypes = {BOOL, U8,  U16, U32, U64,     I8,   I16, I32,
                                 I64,  F16, F32, F64, F8_E5M2, BF16, C64};
  return std::ranges::find(kTypes, dtype) != kTypes.end();
}

std::string datatype(const TensorSpec& tensor) {
  const std::uint64_t bytes = bit_width(tensor.dtype) / 8;
  switch (tensor.dtype) {
    case DType::BOOL:
      return boolean();
    case DType::U8:
    case DType::U16:
    case DType::U32:
    case DType::U64:
      return integer(bytes, false);
    case DType::I8:
    case DType::I16:
    case DType::I32:
    case DType::I64:
      return integer(bytes, true);
    case DType::F8_E5M2:
      return real(1, 5, 15);
    case DType::F16:
      return real(2, 5, 15);
    case DType::F32:
      return real(4, 8, 127);
    case DType::F64:
      return real(8, 11, 1023);
    case DType::C64:
      return complex_pair();
    case DType::BF16:
      return type_of(Class::Opaque, 0, 2).take();
    default:
      throw Error(ErrorCode::Unsupported,
                  fmt::format("tensor '{}' is {}, which HDF5 has no common type for", printable(tensor.name),
                              dtype_name(tensor.dtype)),
                  tensor.name);
  }
}

std::string dataset_header(const TensorSpec& tensor, const DatasetPlace& place) {
  Fields body;
  append_message(body, Message::Dataspace, dataspace(tensor.shape));
  append_message(body, Message::Datatype, datatype(tensor));
  append_message(body, Message::FillValue, fill_value());
  append_message(body, Message::Layout, contiguous(place.data, byte_size(tensor.dtype, tensor.shape)));
  const bool marked = tensor.dtype == DType::BF16;
  if (marked) append_message(body, Message::Attribute, bfloat16_attribute(place.heap));
  return object_header(marked ? 5 : 4, place.links, body.take());
}

std::uint64_t dataset_header_bytes(const TensorSpec& tensor) { return dataset_header(tensor, {}).size(); }

std::string group_header(std::uint64_t tree, std::uint64_t names) {
  Fields body;
  append_message(body, Message::SymbolTable, Fields().u64(tree).u64(names).take());
  return object_header(1, 1, body.take());
}

std::string heap_of_names() {
  constexpr std::uint64_t kUsed = 16 + 24;
  Fields out;
  out.text("GCOL").u8(1).zeros(3).u64(kHeapBytes);
  out.u16(1).u16(0).zeros(4).u64(8).text("bfloat16");
  out.u16(0).u16(0).zeros(4).u64(kHeapBytes - kUsed);
  return out.zeros(kHeapBytes - out.size()).take();
}

}  // namespace weighbridge::hdf5
