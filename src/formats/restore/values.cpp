#include "formats/restore/values.hpp"

#include <algorithm>
#include <array>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "formats/restore/admitted.hpp"
#include "formats/restore/scalars.hpp"
#include "formats/torch/element_type.hpp"

namespace weighbridge::restore {
namespace {

using pickle::Writer;

/// Nothing, or the name of what cannot come back.
using Dropped = std::optional<std::string>;

template <typename Parse>
auto parse_as(std::string_view tag, std::string_view text, Parse parse) {
  auto parsed = parse(text);
  if (parsed) return *std::move(parsed);
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("the sidecar: {} cannot be understood", tag));
}

/// Protocol 2 has no bytes: they are the text of their Latin-1 characters, encoded when loaded.
void write_encoded(Writer& out, std::string_view bytes, std::string_view encoding) {
  out.mark();
  out.text(latin1_text(bytes));
  out.repeated_text(encoding);
  out.tuple();
  out.reduce();
}

Dropped write_bytes(Writer& out, std::string_view text) {
  const std::string bytes = parse_as("$bytes", text, decode_base64);
  out.global("_codecs", "encode");
  write_encoded(out, bytes, "latin1");
  return std::nullopt;
}

Dropped write_bytearray(Writer& out, std::string_view text) {
  const std::string bytes = parse_as("$bytearray", text, decode_base64);
  out.global("__builtin__", "bytearray");
  write_encoded(out, bytes, "latin-1");
  return std::nullopt;
}

Dropped write_text(Writer& out, std::string_view text) {
  out.text(parse_as("$text", text, decode_text));
  return std::nullopt;
}

/// Python 3 has a str of Python 2 as text where it is UTF-8, and as bytes otherwise.
Dropped write_py2(Writer& out, std::string_view text) {
  const std::string bytes = parse_as("$py2", text, decode_base64);
  if (find_invalid_utf8(bytes)) return write_bytes(out, text);
  out.text(bytes);
  return std::nullopt;
}

Dropped write_integer(Writer& out, std::string_view text) {
  constexpr std::size_t kLongest = 255;
  const auto bytes = parse_as("$int", text, parse_integer);
  if (bytes.size() > kLongest) return "integers of more than 255 bytes";
  out.long_integer(bytes);
  return std::nullopt;
}

Dropped write_float(Writer& out, std::string_view text) {
  out.real(parse_as("$float", text, parse_float));
  return std::nullopt;
}

Dropped write_dtype(Writer& out, std::string_view text) {
  const torch::ElementType* type = torch::find_element_type(text);
  if (type == nullptr) return std::string(text);
  out.global("torch", type->name);
  return std::nullopt;
}

Dropped write_global(Writer& out, std::string_view text) {
  const auto found = find_name(text);
  if (!found) return std::string(text);
  out.global(found->module, found->name);
  return std::nullopt;
}

struct Row {
  std::string_view tag;
  Dropped (*write)(Writer&, std::string_view);
};

constexpr std::array kRows = {
    Row{"$bytes", write_bytes}, Row{"$bytearray", write_bytearray}, Row{"$text", write_text},
    Row{"$py2", write_py2},     Row{"$int", write_integer},         Row{"$float", write_float},
    Row{"$dtype", write_dtype}, Row{"$global", write_global},
};

}  // namespace

bool is_single(std::string_view tag) noexcept {
  return std::ranges::find(kRows, tag, &Row::tag) != kRows.end();
}

std::optional<std::string> write_single(pickle::Writer& out, const json::Document& sidecar,
                                        json::Node value) {
  const std::string_view tag = sidecar.key(value);
  if (!sidecar.is_string(value)) {
    throw Error(ErrorCode::MalformedCheckpoint, fmt::format("the sidecar: {} holds no text", tag));
  }
  Dropped dropped = std::ranges::find(kRows, tag, &Row::tag)->write(out, sidecar.string(value));
  if (dropped) out.none();
  return dropped;
}

}  // namespace weighbridge::restore
