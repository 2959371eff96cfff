#include "formats/onnx/node.hpp"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "formats/onnx/entries.hpp"
#include "formats/onnx/once.hpp"

namespace weighbridge::onnx {
namespace {

struct ListAttribute {
  std::string_view name;
  std::uint32_t field;
  std::int32_t type;
  bool scalar;
};

constexpr auto kLists = std::to_array<ListAttribute>({
    {"value_float", 2, kFloat, true},
    {"value_int", 3, kInt64, true},
    {"value_floats", 7, kFloat, false},
    {"value_ints", 8, kInt64, false},
});

const ListAttribute* find_list(std::string_view name) {
  for (const ListAttribute& list : kLists) {
    if (list.name == name) return &list;
  }
  return nullptr;
}

std::string plain_domain(const std::string& domain) { return domain == "ai.onnx" ? std::string() : domain; }

}  // namespace

NodeText read_node(Window& window, Extent message, const Limits& limits, std::uint64_t position) {
  NodeText node;
  bool has_output = false;
  Once once;
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    const auto text = [&](std::string_view what) {
      return read_text(window, *field, what, limits.name_bytes);
    };
    if (field->number == 5) node.has_attributes = true;
    if (field->number == 2 && !has_output) {
      node.output = text("an output of a node");
      has_output = true;
    }
    if (field->number != 3 && field->number != 4 && field->number != 7 && field->number != 8) continue;
    once.check(*field, "a text of a node");
    if (field->number == 3) node.label = text("the name of a node");
    if (field->number == 4) node.type = text("the type of a node");
    if (field->number == 7) node.domain = plain_domain(text("the domain of a node"));
    if (field->number == 8) node.overload = text("the overload of a node");
  }
  if (node.label.empty()) node.label = fmt::format("{}_{}", node.type, position);
  return node;
}

AttributeText read_attribute(Window& window, Extent message, const Limits& limits) {
  AttributeText attribute;
  Once once;
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 1:
        once.check(*field, "the name of an attribute");
        attribute.name = read_text(window, *field, "the name of an attribute", limits.name_bytes);
        break;
      case 5:
      case 6:
      case 10:
      case 11:
      case 22:
      case 23:
        attribute.holds_tensors = true;
        break;
      case 21:
        attribute.is_reference = field->value > 0;
        break;
      default:
        break;
    }
  }
  return attribute;
}

FunctionId read_function(Window& window, Extent message, const Limits& limits) {
  FunctionId id;
  Once once;
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    if (field->number != 1 && field->number != 10 && field->number != 13) continue;
    once.check(*field, "a text of a function");
    const std::string text = read_text(window, *field, "a text of a function", limits.name_bytes);
    if (field->number == 1) id.name = text;
    if (field->number == 10) id.domain = plain_domain(text);
    if (field->number == 13) id.overload = text;
  }
  return id;
}

std::string function_text(const FunctionId& id) {
  return fmt::format("{}::{}{}{}", id.domain, id.name, id.overload.empty() ? "" : ":", id.overload);
}

std::string join_path(std::string_view path, std::string_view label) {
  return path.empty() ? std::string(label) : fmt::format("{}/{}", path, label);
}

bool is_constant_list(const NodeText& node, const AttributeText& attribute) {
  return node.is_constant() && !attribute.is_reference && find_list(attribute.name) != nullptr;
}

TensorProto list_as_tensor(Window& window, Extent message, const AttributeText& attribute) {
  const ListAttribute& list = *find_list(attribute.name);
  TensorProto tensor{.message = message, .type = list.type};
  tensor.list_field = list.field;
  EntryReader entries(window, message, list.field, list.type == kFloat ? Entries::Float : Entries::Int64);
  std::uint64_t count = 0;
  while (entries.next()) ++count;
  if (count > 0) tensor.typed = {list.field};
  if (!list.scalar) tensor.dims = {count};
  return tensor;
}

Tensor parse_sparse(Window& window, Extent message, const Limits& limits) {
  Tensor tensor;
  SparseTensor sparse;
  Once once;
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    if (field->number == 1) {
      once.check(*field, "the values of a sparse tensor");
      require_wire(*field, Wire::Bytes, "the values of a sparse tensor");
      tensor.proto = parse_tensor(window, field->content, limits);
    }
    if (field->number == 2) {
      once.check(*field, "the indices of a sparse tensor");
      require_wire(*field, Wire::Bytes, "the indices of a sparse tensor");
      sparse.indices = parse_tensor(window, field->content, limits);
    }
  }
  if (tensor.proto.type == kUndefined || sparse.indices.type == kUndefined) {
    refuse_wire("a sparse tensor without values or indices", message.begin);
  }
  sparse.dims = parse_dims(window, message, 3, limits);
  tensor.sparse = std::move(sparse);
  return tensor;
}

}  // namespace weighbridge::onnx
