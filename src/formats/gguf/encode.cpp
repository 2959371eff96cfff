#include "formats/gguf/encode.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <concepts>
#include <limits>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/text.hpp"
#include "formats/restore/scalars.hpp"

namespace weighbridge::gguf {
namespace {

constexpr std::string_view kArray = "[]";

template <std::integral T>
void append_le(std::string& out, T value) {
  std::array<char, sizeof(T)> bytes{};
  store_le(bytes.data(), value);
  out.append(bytes.data(), bytes.size());
}

template <class T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
  T value{};
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [parsed, error] = std::from_chars(begin, end, value, base);
  if (error != std::errc{} || parsed != end || text.empty()) return std::nullopt;
  return value;
}

std::optional<double> parse_real(std::string_view text) {
  double value{};
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [parsed, error] = std::from_chars(begin, end, value);
  if (error != std::errc{} || parsed != end || text.empty()) return std::nullopt;
  return value;
}

struct PairType {
  ValueType type;
  bool array;
};

std::optional<PairType> parse_pair_type(std::string_view text) {
  const bool array = text.ends_with(kArray);
  if (array) text.remove_suffix(kArray.size());
  const auto type = find_value_type(text);
  if (!type || *type == ValueType::Array) return std::nullopt;
  return PairType{*type, array};
}

void append_real(std::string& out, ValueType type, double value) {
  if (type == ValueType::F64) return append_le(out, std::bit_cast<std::uint64_t>(value));
  append_le(out, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
}

/// False when the text is no number of that type.
bool append_integer(std::string& out, ValueType type, std::string_view text) {
  const auto append = [&]<class T>(T) {
    const auto value = parse_number<T>(text);
    if (value) append_le(out, *value);
    return value.has_value();
  };
  switch (type) {
    case ValueType::U8:
      return append(std::uint8_t{});
    case ValueType::I8:
      return append(std::int8_t{});
    case ValueType::U16:
      return append(std::uint16_t{});
    case ValueType::I16:
      return append(std::int16_t{});
    case ValueType::U32:
      return append(std::uint32_t{});
    case ValueType::I32:
      return append(std::int32_t{});
    case ValueType::U64:
      return append(std::uint64_t{});
    case ValueType::I64:
      return append(std::int64_t{});
    default:
      return false;
  }
}

bool is_real(ValueType type) { return type == ValueType::F32 || type == ValueType::F64; }

/// One value of a command line.
bool append_argument(std::string& out, ValueType type, std::string_view text) {
  if (type == ValueType::String) {
    append_text(out, text);
    return true;
  }
  if (type == ValueType::Bool) {
    out.push_back(text == "true" ? '\1' : '\0');
    return text == "true" || text == "false";
  }
  if (!is_real(type)) return append_integer(out, type, text);
  const auto value = parse_real(text);
  if (value) append_real(out, type, *value);
  return value.has_value();
}

/// The text of the one member of an object; nothing for any other value.
std::optional<std::string_view> find_tagged(const json::Document& document, json::Node node,
                                            std::string_view tag) {
  const json::Node member = document.find(node, tag);
  if (!document.is_string(member)) return std::nullopt;
  return document.string(member);
}

bool append_json_real(std::string& out, ValueType type, const json::Document& document, json::Node node) {
  if (const auto bits = find_tagged(document, node, "$bits")) {
    if (bits->size() != 2 * value_bytes(type)) return false;
    const auto value = parse_number<std::uint64_t>(*bits, 16);
    if (!value) return false;
    if (type == ValueType::F64) {
      append_le(out, *value);
    } else {
      append_le(out, static_cast<std::uint32_t>(*value));
    }
    return true;
  }
  if (document.kind(node) == json::Kind::Integer) {
    append_real(out, type, static_cast<double>(document.integer(node)));
    return true;
  }
  if (document.kind(node) != json::Kind::Real) return false;
  append_real(out, type, document.real(node));
  return true;
}

bool append_json_text(std::string& out, const json::Document& document, json::Node node) {
  if (document.kind(node) == json::Kind::String) {
    append_text(out, document.string(node));
    return true;
  }
  const auto tagged = find_tagged(document, node, "$bytes");
  const auto bytes = tagged ? restore::decode_base64(*tagged) : std::nullopt;
  if (bytes) append_text(out, *bytes);
  return bytes.has_value();
}

/// One value of a sidecar. False when it is none of that type.
bool append_json(std::string& out, ValueType type, const json::Document& document, json::Node node) {
  if (type == ValueType::String) return append_json_text(out, document, node);
  if (is_real(type)) return append_json_real(out, type, document, node);
  if (type == ValueType::Bool) {
    if (document.kind(node) != json::Kind::Bool) return false;
    out.push_back(document.boolean(node) ? '\1' : '\0');
    return true;
  }
  if (document.kind(node) == json::Kind::Integer) {
    return append_integer(out, type, fmt::to_string(document.integer(node)));
  }
  const auto digits = find_tagged(document, node, "$int");
  return digits && append_integer(out, type, *digits);
}

[[noreturn]] void refuse(std::string_view key, std::string_view what) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("the sidecar: key '{}' {}", printable(key), what),
              std::string(key));
}

void append_type(std::string& out, PairType type, std::uint64_t count) {
  if (type.array) append_le(out, static_cast<std::uint32_t>(ValueType::Array));
  append_le(out, static_cast<std::uint32_t>(type.type));
  if (type.array) append_le(out, count);
}

EncodedPair encode_pair(const json::Document& document, json::Node node) {
  const json::Node key = document.find(node, "key");
  const json::Node type_name = document.find(node, "type");
  const json::Node value = document.find(node, "value");
  if (!document.is_string(key)) refuse("", "is no text");
  EncodedPair pair{.key = std::string(document.string(key)), .bytes = {}};
  const auto type =
      document.is_string(type_name) ? parse_pair_type(document.string(type_name)) : std::nullopt;
  if (!type || value == json::kNone) refuse(pair.key, "has no type, no known type or no value");
  const bool is_list = document.kind(value) == json::Kind::Array;
  if (type->array != is_list) refuse(pair.key, "is a list and should be none, or the other way round");
  std::string values;
  std::uint64_t count = 0;
  for (json::Node item = type->array ? document.first(value) : value; item != json::kNone;
       item = type->array ? document.next(item) : json::kNone) {
    if (!append_json(values, type->type, document, item)) {
      refuse(pair.key, fmt::format("has a value that is no {}", value_type_name(type->type)));
    }
    ++count;
  }
  append_type(pair.bytes, *type, count);
  pair.bytes += values;
  return pair;
}

}  // namespace

void append_number(std::string& out, std::uint32_t value) { append_le(out, value); }

void append_number(std::string& out, std::uint64_t value) { append_le(out, value); }

void append_text(std::string& out, std::string_view text) {
  append_le(out, std::uint64_t{text.size()});
  out += text;
}

std::vector<EncodedPair> encode_pairs(const json::Document& document, json::Node list) {
  if (document.kind(list) != json::Kind::Array) {
    throw Error(ErrorCode::MalformedCheckpoint, "the sidecar: key_values is no list");
  }
  std::vector<EncodedPair> pairs;
  for (json::Node node = document.first(list); node != json::kNone; node = document.next(node)) {
    pairs.push_back(encode_pair(document, node));
  }
  return pairs;
}

EncodedPair encode_argument(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::size_t colon = equals == std::string_view::npos ? equals : text.find(':', equals);
  const auto type = colon == std::string_view::npos
                        ? std::nullopt
                        : parse_pair_type(text.substr(equals + 1, colon - equals - 1));
  if (!type) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("'{}' is no pair such as general.architecture=str:llama or ids=u32[]:1,2; types "
                            "are u8 to u64, i8 to i64, f32, f64, bool and str",
                            printable(text)));
  }
  EncodedPair pair{.key = std::string(text.substr(0, equals)), .bytes = {}};
  std::string_view rest = text.substr(colon + 1);
  std::string values;
  std::uint64_t count = 0;
  bool more = !type->array || !rest.empty();
  while (more) {
    const std::size_t comma = type->array ? rest.find(',') : std::string_view::npos;
    const std::string_view item = rest.substr(0, comma);
    if (!append_argument(values, type->type, item)) {
      throw Error(ErrorCode::InvalidArgument, fmt::format("key '{}': '{}' is no {}", printable(pair.key),
                                                          printable(item), value_type_name(type->type)));
    }
    ++count;
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  append_type(pair.bytes, *type, count);
  pair.bytes += values;
  return pair;
}

EncodedPair encode_text(std::string_view key, std::string_view text) {
  EncodedPair pair{.key = std::string(key), .bytes = {}};
  append_type(pair.bytes, {ValueType::String, false}, 1);
  append_text(pair.bytes, text);
  return pair;
}

EncodedPair encode_u32(std::string_view key, std::uint32_t value) {
  EncodedPair pair{.key = std::string(key), .bytes = {}};
  append_type(pair.bytes, {ValueType::U32, false}, 1);
  append_le(pair.bytes, value);
  return pair;
}

std::optional<std::uint32_t> find_u32(const EncodedPair& pair) noexcept {
  if (pair.bytes.size() != 8) return std::nullopt;
  if (load_le<std::uint32_t>(pair.bytes.data()) != static_cast<std::uint32_t>(ValueType::U32)) {
    return std::nullopt;
  }
  return load_le<std::uint32_t>(pair.bytes.data() + 4);
}

}  // namespace weighbridge::gguf
