#include "formats/hdf5/values.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/endian.hpp"
#include "base/half.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "formats/hdf5/element.hpp"

namespace weighbridge::hdf5 {
namespace {

constexpr std::int64_t kLargestPlainInteger = (std::int64_t{1} << 53) - 1;
constexpr std::size_t kMostSummary = 64;

/// The bits of one number, whatever its order in the file.
std::uint64_t load_bits(const std::byte* at, std::uint64_t bytes, bool big_endian) {
  std::uint64_t bits = 0;
  for (std::uint64_t i = 0; i < bytes; ++i) {
    const std::byte byte = at[big_endian ? i : bytes - 1 - i];
    bits = bits << 8 | std::to_integer<std::uint64_t>(byte);
  }
  return bits;
}

std::string real_text(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "\"nan\"" : value < 0 ? "\"-inf\"" : "\"inf\"";
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string signed_text(std::uint64_t bits, std::uint64_t bytes) {
  const auto shift = static_cast<unsigned>(64 - 8 * bytes);
  const std::int64_t value = static_cast<std::int64_t>(bits << shift) >> shift;
  const bool plain = value >= -kLargestPlainInteger && value <= kLargestPlainInteger;
  return plain ? fmt::to_string(value) : fmt::format("\"{}\"", value);
}

std::string unsigned_text(std::uint64_t value) {
  const bool plain = value <= static_cast<std::uint64_t>(kLargestPlainInteger);
  return plain ? fmt::to_string(value) : fmt::format("\"{}\"", value);
}

std::string number_text(DType dtype, std::uint64_t bits) {
  switch (dtype) {
    case DType::F64:
      return real_text(std::bit_cast<double>(bits));
    case DType::F32:
      return real_text(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits))));
    case DType::F16:
      return real_text(static_cast<double>(half_to_float(static_cast<std::uint16_t>(bits))));
    case DType::BF16:
      return real_text(static_cast<double>(bfloat16_to_float(static_cast<std::uint16_t>(bits))));
    case DType::BOOL:
      return bits != 0 ? "true" : "false";
    case DType::I8:
      return signed_text(bits, 1);
    case DType::I16:
      return signed_text(bits, 2);
    case DType::I32:
      return signed_text(bits, 4);
    case DType::I64:
      return signed_text(bits, 8);
    default:
      return unsigned_text(bits);
  }
}

const SimpleType& stored_type(const Type& type) {
  return type.simple.kind == TypeClass::Enum ? type.base : type.simple;
}

std::vector<std::string> number_texts(const Attribute& attribute, DType dtype) {
  const SimpleType& type = stored_type(attribute.type);
  std::vector<std::string> texts;
  for (std::size_t at = 0; at + type.bytes <= attribute.bytes.size(); at += type.bytes) {
    texts.push_back(number_text(dtype, load_bits(&attribute.bytes[at], type.bytes, type.big_endian)));
  }
  return texts;
}

void append_shape(std::string& out, const Shape& shape) {
  out += "\"$shape\":[";
  for (std::size_t d = 0; d < shape.size(); ++d) out += fmt::format("{}{}", d > 0 ? "," : "", shape[d]);
  out += ']';
}

template <typename Append>
void append_list(std::string& out, std::size_t count, const Append& append) {
  out += '[';
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    append(i);
  }
  out += ']';
}

void append_numbers(std::string& out, const Attribute& attribute, DType dtype) {
  const auto texts = number_texts(attribute, dtype);
  out += fmt::format("{{\"$dtype\":\"{}\",", dtype_name(dtype));
  if (attribute.shape->empty() && texts.size() == 1) {
    out += "\"$value\":" + texts.front() + '}';
    return;
  }
  append_shape(out, *attribute.shape);
  out += ",\"$values\":";
  append_list(out, texts.size(), [&](std::size_t i) { out += texts[i]; });
  out += '}';
}

std::string shorten(std::string text) {
  if (text.size() > kMostSummary)
    text = fmt::format("{}... ({} bytes)", text.substr(0, kMostSummary), text.size());
  return printable(text);
}

}  // namespace

void append_text(std::string& out, std::string_view text) {
  if (!find_invalid_utf8(text)) return append_json_string(out, text);
  out += "{\"$bytes\":\"";
  append_base64(out, std::as_bytes(std::span(text)));
  out += "\"}";
}

void append_texts(std::string& out, const std::vector<std::string>& texts, const Shape& shape) {
  if (shape.empty() && texts.size() == 1) return append_text(out, texts.front());
  const auto append_one = [&](std::size_t i) { append_text(out, texts[i]); };
  if (shape.size() == 1) return append_list(out, texts.size(), append_one);
  out += '{';
  append_shape(out, shape);
  out += ",\"$values\":";
  append_list(out, texts.size(), append_one);
  out += '}';
}

void append_attribute(std::string& out, const Attribute& attribute) {
  if (!attribute.shape) {
    out += "null";
    return;
  }
  const auto element = attribute.is_read ? find_element(attribute.type, std::nullopt) : std::nullopt;
  if (attribute.is_read && attribute.type.simple.kind == TypeClass::String) {
    append_texts(out, attribute.texts, *attribute.shape);
  } else if (element) {
    append_numbers(out, attribute, element->dtype);
  } else {
    out += "{\"$type\":";
    append_json_string(out, attribute.type.text);
    out += '}';
  }
}

std::string summarize(const Attribute& attribute) {
  if (!attribute.shape) return "empty";
  if (attribute.is_read && attribute.texts.size() == 1)
    return fmt::format("str '{}'", shorten(attribute.texts.front()));
  if (attribute.is_read && !attribute.texts.empty()) return fmt::format("{} texts", attribute.texts.size());
  if (const auto element = attribute.is_read ? find_element(attribute.type, std::nullopt) : std::nullopt) {
    const auto texts = number_texts(attribute, element->dtype);
    if (texts.size() == 1) return fmt::format("{} {}", dtype_name(element->dtype), texts.front());
    return fmt::format("{} {}", dtype_name(element->dtype), shape_text(*attribute.shape));
  }
  return attribute.type.text;
}

}  // namespace weighbridge::hdf5
