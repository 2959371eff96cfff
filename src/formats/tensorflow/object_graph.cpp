#include "formats/tensorflow/object_graph.hpp"

#include "base/utf8.hpp"
#include "formats/tensorflow/failure.hpp"
#include "formats/tensorflow/wire.hpp"

namespace weighbridge::tensorflow {
namespace {

constexpr std::uint64_t kLengthCrcBytes = 4;

std::string_view text_of(const Field& field) {
  if (!field.is_bytes) refuse("a field of the object graph is of the wrong kind");
  return field.bytes;
}

using Names = std::map<std::string, std::string, std::less<>>;

/// SerializedTensor: full_name = 2, checkpoint_key = 3.
void parse_attribute(std::string_view text, Names& names) {
  std::string_view name;
  std::string_view key;
  Wire in(text);
  while (const auto field = in.take_field()) {
    if (field->id == 2) name = text_of(*field);
    if (field->id == 3) key = text_of(*field);
  }
  if (name.empty() || key.empty() || find_invalid_utf8(name)) return;
  names.emplace(key, name);
}

/// TrackableObject: attributes = 2.
void parse_object(std::string_view text, Names& names) {
  Wire in(text);
  while (const auto field = in.take_field()) {
    if (field->id == 2) parse_attribute(text_of(*field), names);
  }
}

}  // namespace

Names read_variable_names(std::string_view payload) {
  Wire in(payload);
  const std::uint64_t bytes = in.take_varint();
  in.take_bytes(kLengthCrcBytes);
  Names names;
  Wire graph(in.take_bytes(bytes));
  while (const auto field = graph.take_field()) {
    if (field->id == 1) parse_object(text_of(*field), names);  // TrackableObjectGraph: nodes = 1
  }
  return names;
}

}  // namespace weighbridge::tensorflow
