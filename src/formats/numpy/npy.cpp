#include "formats/numpy/npy.hpp"

#include <algorithm>
#include <array>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "base/text.hpp"
#include "formats/numpy/literal.hpp"
#include "formats/numpy/node_values.hpp"

namespace weighbridge::numpy {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::uint64_t kPrefixBytes = 8;  ///< Magic and version.
/// A structure with hundreds of fields takes a tenth of this.
constexpr std::uint32_t kLongestHeader = 64 * 1024;

std::string read_text(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  if (offset > source.size() || size > source.size() - offset) {
    refuse(
        fmt::format("the .npy file has {} bytes, its header ends at byte {}", source.size(), offset + size));
  }
  std::string text(size, '\0');
  source.read_at(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

struct HeaderText {
  std::string text;
  std::uint64_t end = 0;
};

/// Version 1 has two bytes for the length, later ones four.
HeaderText read_header_text(const ByteSource& source) {
  const std::string prefix = read_text(source, 0, kPrefixBytes);
  if (!prefix.starts_with(kMagic)) refuse("the .npy file does not start with its magic bytes");
  const int major = static_cast<unsigned char>(prefix[6]);
  const int minor = static_cast<unsigned char>(prefix[7]);
  if (major < 1 || major > 3 || minor != 0) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("version {}.{} of .npy files is not known", major, minor));
  }
  const std::uint64_t length_bytes = major == 1 ? 2 : 4;
  const std::string length = read_text(source, kPrefixBytes, length_bytes);
  const std::uint32_t size =
      major == 1 ? load_le<std::uint16_t>(length.data()) : load_le<std::uint32_t>(length.data());
  if (size > kLongestHeader) {
    throw Error(
        ErrorCode::LimitExceeded,
        fmt::format("the header of the .npy file has {} bytes, the limit is {}", size, kLongestHeader));
  }
  const std::uint64_t start = kPrefixBytes + length_bytes;
  return {.text = read_text(source, start, size), .end = start + size};
}

const Literal& get_member(const Literal& dict, std::string_view name) {
  if (dict.kind != Literal::Kind::Dict) refuse("the header of the .npy file is not a dict");
  const Literal* found = nullptr;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    if (dict.items[i].kind == Literal::Kind::Text && dict.items[i].text == name) found = &dict.items[i + 1];
  }
  if (found == nullptr) refuse(fmt::format("the header of the .npy file has no '{}'", name));
  return *found;
}

Shape parse_shape(const Literal& value) {
  if (value.kind == Literal::Kind::Integer && value.integer >= 0) {
    return {static_cast<std::uint64_t>(value.integer)};
  }
  if (value.kind != Literal::Kind::Tuple) refuse("the shape in the header of the .npy file is not a tuple");
  Shape shape;
  for (const Literal& item : value.items) {
    if (item.kind != Literal::Kind::Integer || item.integer < 0) {
      refuse("a size in the header of the .npy file is no number or negative");
    }
    shape.push_back(static_cast<std::uint64_t>(item.integer));
  }
  return shape;
}

DataType parse_descr(const Literal& value);

/// ('name', descr) or ('name', descr, shape); ('title', 'name') is a name as well. Fields without a
/// name are padding.
Field parse_field(const Literal& value, std::uint64_t offset) {
  const bool sized = value.kind == Literal::Kind::Tuple && value.items.size() == 3;
  if (value.kind != Literal::Kind::Tuple || (value.items.size() != 2 && !sized)) {
    refuse("a field in the header of the .npy file is not (name, type) or (name, type, shape)");
  }
  const Literal& name = value.items[0].kind == Literal::Kind::Tuple && value.items[0].items.size() == 2
                            ? value.items[0].items[1]
                            : value.items[0];
  if (name.kind != Literal::Kind::Text) refuse("a field in the header of the .npy file has no name");
  Field field{.name = name.text, .offset = offset, .type = parse_descr(value.items[1])};
  if (sized) field.type = sub_array_type(std::move(field.type), parse_shape(value.items[2]));
  return field;
}

DataType parse_fields(const Literal& value) {
  std::vector<Field> fields;
  std::uint64_t bytes = 0;
  for (const Literal& item : value.items) {
    Field field = parse_field(item, bytes);
    const auto end = checked_add(bytes, field.type.bytes);
    if (!end) refuse("the fields in the header of the .npy file have 2^64 bytes or more");
    bytes = *end;
    if (!field.name.empty()) fields.push_back(std::move(field));
  }
  return structure_type(fields, bytes);
}

DataType parse_descr(const Literal& value) {
  if (value.kind == Literal::Kind::List) return parse_fields(value);
  if (value.kind == Literal::Kind::Tuple && value.items.size() == 2) {
    return sub_array_type(parse_descr(value.items[0]), parse_shape(value.items[1]));
  }
  if (value.kind != Literal::Kind::Text) refuse("the type in the header of the .npy file is no text");
  auto type = find_scalar_type(value.text);
  if (!type) {
    throw Error(ErrorCode::Unsupported, fmt::format("the dtype '{}' is not known", printable(value.text)));
  }
  return plain_type(std::move(*type));
}

}  // namespace

bool looks_like_npy(const ByteSource& source) {
  std::array<char, kMagic.size()> head{};
  if (source.size() < head.size()) return false;
  source.read_at(0, std::as_writable_bytes(std::span(head)));
  return std::ranges::equal(head, kMagic);
}

NpyHeader parse_npy_header(const ByteSource& source) {
  const HeaderText header = read_header_text(source);
  const Literal dict = parse_literal(header.text);
  const Literal& fortran = get_member(dict, "fortran_order");
  if (fortran.kind != Literal::Kind::Boolean)
    refuse("fortran_order in the header of the .npy file is no bool");
  return {.type = std::make_shared<const DataType>(parse_descr(get_member(dict, "descr"))),
          .shape = parse_shape(get_member(dict, "shape")),
          .order = fortran.integer == 1 ? Order::ColumnMajor : Order::RowMajor,
          .data_offset = header.end};
}

void resolve_void(NpyHeader& header, VoidPolicy policy) {
  const DataType& type = *header.type;
  if (type.structured || type.leaves.size() != 1 || type.leaves.front().type.kind != 'V') return;
  if (!type.leaves.front().shape.empty()) return;
  const ScalarType& raw = type.leaves.front().type;
  DataType resolved;
  if (policy == VoidPolicy::Bytes) {
    resolved = sub_array_type(plain_type({.kind = 'u', .bytes = 1}), {raw.bytes});
  } else if (raw.bytes == 2) {
    resolved = plain_type({.kind = 'x', .bytes = 2, .big_endian = raw.big_endian, .name = "bfloat16"});
  } else {
    throw Error(ErrorCode::Unsupported,
                fmt::format("{} is raw bytes, and the file does not say of what; they can be taken as U8 "
                            "(--numpy-void bytes)",
                            type_text(raw)));
  }
  header.type = std::make_shared<const DataType>(std::move(resolved));
}

Array npy_array(const NpyHeader& header, SourcePtr source, const Limits& limits) {
  const std::uint64_t needed = byte_count(header.shape, header.type->bytes);
  const std::uint64_t there = source->size() - header.data_offset;
  return make_array(header.type, header.shape, header.order, std::move(source), header.data_offset,
                    std::min(needed, there), limits);
}

}  // namespace weighbridge::numpy
