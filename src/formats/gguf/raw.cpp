#include "formats/gguf/raw.hpp"

#include <charconv>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"

namespace weighbridge::gguf {
namespace {

constexpr std::string_view kType = "gguf.type.";
constexpr std::string_view kShape = "gguf.shape.";

std::string key_of(std::string_view what, std::string_view name) { return fmt::format("{}{}", what, name); }

/// "[2, 3]", as shape_text() writes it.
std::optional<Shape> parse_shape(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  Shape shape;
  while (!text.empty()) {
    if (!shape.empty()) {
      if (!text.starts_with(", ")) return std::nullopt;
      text.remove_prefix(2);
    }
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc{}) return std::nullopt;
    shape.push_back(size);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  return shape;
}

bool is_raw_shape(const TensorType& type, const Shape& shape, const Shape& bytes) {
  return !shape.empty() && shape.back() % type.elements == 0 &&
         checked_mul(shape.back() / type.elements, type.bytes) && raw_shape(type, shape) == bytes;
}

}  // namespace

Shape raw_shape(const TensorType& type, const Shape& shape) {
  Shape raw = shape;
  raw.back() = raw.back() / type.elements * type.bytes;
  return raw;
}

void note_raw(Metadata& metadata, std::string_view name, const TensorType& type, const Shape& shape) {
  metadata.emplace(key_of(kType, name), type.name);
  metadata.emplace(key_of(kShape, name), shape_text(shape));
}

void copy_raw_notes(const Metadata& metadata, std::string_view from, std::string_view to, Metadata& out) {
  for (const std::string_view what : {kType, kShape}) {
    const auto note = metadata.find(key_of(what, from));
    if (note != metadata.end()) out.emplace(key_of(what, to), note->second);
  }
}

std::optional<RawTensor> find_raw(const std::optional<Metadata>& metadata, const TensorSpec& spec) {
  if (!metadata || spec.dtype != DType::U8) return std::nullopt;
  const auto type = metadata->find(key_of(kType, spec.name));
  const auto shape = metadata->find(key_of(kShape, spec.name));
  if (type == metadata->end() && shape == metadata->end()) return std::nullopt;
  RawTensor raw;
  if (type != metadata->end()) raw.type = find_tensor_type(type->second);
  const auto parsed = shape == metadata->end() ? std::nullopt : parse_shape(shape->second);
  if (parsed) raw.shape = *parsed;
  if (raw.type != nullptr && parsed && is_raw_shape(*raw.type, raw.shape, spec.shape)) return raw;
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("tensor '{}' is U8 {}; the metadata calls it blocks of type '{}' of a tensor {}",
                          printable(spec.name), shape_text(spec.shape),
                          type == metadata->end() ? "" : printable(type->second),
                          shape == metadata->end() ? "of no shape" : printable(shape->second)),
              spec.name);
}

bool is_raw_note(std::string_view key) noexcept { return key.starts_with(kType) || key.starts_with(kShape); }

}  // namespace weighbridge::gguf
