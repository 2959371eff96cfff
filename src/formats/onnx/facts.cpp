#include "formats/onnx/facts.hpp"

#include <fmt/format.h>

#include "formats/onnx/node.hpp"
#include "formats/onnx/types.hpp"

namespace weighbridge::onnx {
namespace {

/// Calls `take` with every field of that number that is a message.
template <class Take>
void each_message(Window& window, Extent message, std::uint32_t number, const Take& take) {
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    if (field->number == number && field->wire == Wire::Bytes) take(*field);
  }
}

std::string dimension_text(Window& window, Extent message, const Limits& limits) {
  std::string text = "?";
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    if (field->number == 1 && field->wire == Wire::Varint) text = fmt::to_string(field->value);
    if (field->number == 2 && field->wire == Wire::Bytes) {
      text = read_text(window, *field, "the name of a dimension", limits.name_bytes);
    }
  }
  return text;
}

/// TypeProto.Tensor: "FLOAT [batch, 3]"; without a shape the type alone.
std::string tensor_type_text(Window& window, Extent message, const Limits& limits) {
  std::string name = "?";
  std::string dims;
  bool has_shape = false;
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    if (field->number == 1 && field->wire == Wire::Varint) {
      const ElementType* type = find_element_type(static_cast<std::int32_t>(field->value));
      if (type != nullptr) name = type->name;
    }
    if (field->number != 2 || field->wire != Wire::Bytes) continue;
    has_shape = true;
    each_message(window, field->content, 1, [&](const Field& dim) {
      dims += (dims.empty() ? "" : ", ") + dimension_text(window, dim.content, limits);
    });
  }
  return has_shape ? fmt::format("{} [{}]", name, dims) : name;
}

std::string type_text(Window& window, Extent message, const Limits& limits) {
  std::string text = "?";
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    if (field->wire != Wire::Bytes) continue;
    if (field->number == 1) text = tensor_type_text(window, field->content, limits);
    if (field->number == 4) text = "sequence";
    if (field->number == 5) text = "map";
    if (field->number == 8) text = "sparse tensor";
    if (field->number == 9) text = "optional";
  }
  return text;
}

Port read_port(Window& window, Extent message, const Limits& limits) {
  Port port;
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    if (field->number == 1) port.name = read_text(window, *field, "the name of an input", limits.name_bytes);
    if (field->number == 2 && field->wire == Wire::Bytes)
      port.type = type_text(window, field->content, limits);
  }
  return port;
}

void note_opset(Window& window, Extent message, const Limits& limits, Facts& facts) {
  std::string domain;
  std::uint64_t version = 0;
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    if (field->number == 1) domain = read_text(window, *field, "the domain of an opset", limits.name_bytes);
    if (field->number == 2 && field->wire == Wire::Varint) version = field->value;
  }
  facts.opsets.emplace_back(std::move(domain), version);
}

void note_property(Window& window, Extent message, const Limits& limits, Facts& facts) {
  std::string key;
  std::optional<Field> value;
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    if (field->number == 1) key = read_text(window, *field, "a key of the metadata", limits.name_bytes);
    if (field->number == 2 && field->wire == Wire::Bytes) value = *field;
  }
  if (value) facts.properties.emplace_back(std::move(key), *value);
}

void note_text(const Field& field, std::string name, Facts& facts) {
  if (field.wire == Wire::Bytes && field.value > 0) facts.texts.emplace_back(std::move(name), field);
}

}  // namespace

void note_model_field(Window& window, const Field& field, const Limits& limits, Facts& facts) {
  switch (field.number) {
    case 1:
      require_wire(field, Wire::Varint, "ir_version");
      facts.ir_version = field.value;
      return;
    case 2:
      return note_text(field, "producer_name", facts);
    case 3:
      return note_text(field, "producer_version", facts);
    case 4:
      return note_text(field, "domain", facts);
    case 5:
      require_wire(field, Wire::Varint, "model_version");
      facts.model_version = field.value;
      return;
    case 6:
      return note_text(field, "doc_string", facts);
    case 8:
      require_wire(field, Wire::Bytes, "opset_import");
      return note_opset(window, field.content, limits, facts);
    case 14:
      require_wire(field, Wire::Bytes, "metadata_props");
      return note_property(window, field.content, limits, facts);
    default:
      return;
  }
}

void note_graph(Window& window, const Field& graph, const Limits& limits, Facts& facts) {
  require_wire(graph, Wire::Bytes, "the graph");
  FieldReader reader(window, graph.content);
  while (const auto field = reader.next()) {
    if (field->number == 2) note_text(*field, "graph.name", facts);
    if (field->number == 10) note_text(*field, "graph.doc_string", facts);
    if (field->wire != Wire::Bytes) continue;
    if (field->number == 11) facts.inputs.push_back(read_port(window, field->content, limits));
    if (field->number == 12) facts.outputs.push_back(read_port(window, field->content, limits));
  }
}

}  // namespace weighbridge::onnx
