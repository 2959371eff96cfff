#include "formats/numpy/dtype_nodes.hpp"

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "formats/numpy/node_values.hpp"

namespace weighbridge::numpy {
namespace {

using pickle::Constructor;
using pickle::Graph;
using pickle::kNoNode;
using pickle::NodeId;

/// Structures within structures; real ones have two or three levels.
constexpr int kMostDepth = 16;
constexpr std::uint64_t kFreeFields = 65'536;

std::string text_of(const Graph& graph, NodeId node, std::string_view what) {
  const auto text = pickle::find_text(graph, node);
  if (!text) refuse(fmt::format("{} of its dtype is not a short text", what));
  return std::string(*text);
}

/// The first argument of dtype(): a string, or a class of numpy or ml_dtypes.
ScalarType parse_argument(const Graph& graph, NodeId node) {
  if (pickle::kind_of(graph, node) == pickle::Kind::Global) {
    if (auto type = find_scalar_class(graph.module(node), graph.name(node))) return std::move(*type);
    throw Error(ErrorCode::Unsupported,
                fmt::format("the element type {}.{} is not known", printable(graph.module(node)),
                            printable(graph.name(node))));
  }
  const std::string text = text_of(graph, node, "the name");
  if (auto type = find_scalar_type(text)) return std::move(*type);
  throw Error(ErrorCode::Unsupported, fmt::format("the dtype '{}' is not known", printable(text)));
}

/// (None, (b'ns', 25, 1, 1)) behind the state of a time: a unit, a count, a divisor, events.
std::string parse_unit(const Graph& graph, NodeId metadata) {
  const auto outer = pickle::find_sequence(graph, metadata);
  if (!outer || outer->size() != 2) return {};
  const auto inner = pickle::find_sequence(graph, (*outer)[1]);
  if (!inner || inner->size() < 3) return {};
  const auto unit = pickle::find_text(graph, (*inner)[0]);
  const auto count = pickle::find_integer(graph, (*inner)[1]);
  const auto divisor = pickle::find_integer(graph, (*inner)[2]);
  if (!unit || !count || !divisor || *unit == "generic") return {};
  std::string text = *count == 1 ? std::string(*unit) : fmt::format("{}{}", *count, *unit);
  if (*divisor != 1) text += fmt::format("/{}", *divisor);
  return text;
}

/// What (version, order, sub-dtype, names, fields, bytes, ...) says; version 0 has no number in front.
struct State {
  std::string order;
  NodeId sub_array = kNoNode;
  NodeId names = kNoNode;
  NodeId fields = kNoNode;
  std::int64_t bytes = -1;
  NodeId metadata = kNoNode;
};

bool is_version(const Graph& graph, NodeId node) {
  const auto version = pickle::find_integer(graph, node);
  return version && *version >= 1 && *version <= 4;
}

State parse_state(const Graph& graph, NodeId node) {
  const auto items = pickle::find_sequence(graph, node);
  if (!items || items->size() < 5) refuse("the state of its dtype is not a tuple of five items or more");
  const std::size_t first = is_version(graph, items->front()) ? 1 : 0;
  if (items->size() < first + 5 && first == 1) refuse("the state of its dtype has too few items");
  const std::int64_t version = first == 1 ? *pickle::find_integer(graph, items->front()) : 0;
  State state{.order = text_of(graph, (*items)[first], "the byte order"), .sub_array = (*items)[first + 1]};
  // Version 1 and what came before it had no names beside the fields.
  const bool has_names = version >= 2 || items->size() - first >= 7;
  if (has_names) state.names = (*items)[first + 2];
  const std::size_t fields = first + (has_names ? 3 : 2);
  if (items->size() <= fields + 1) refuse("the state of its dtype has too few items");
  state.fields = (*items)[fields];
  state.bytes = pickle::find_integer(graph, (*items)[fields + 1]).value_or(-1);
  if (version == 4) state.metadata = items->back();
  return state;
}

bool is_none(const Graph& graph, NodeId node) { return pickle::kind_of(graph, node) == pickle::Kind::None; }

void set_order(ScalarType& type, const std::string& order) {
  if (order == ">") {
    type.big_endian = true;
  } else if (order != "<" && order != "|" && order != "=") {
    refuse(fmt::format("the byte order of its dtype is '{}'", printable(order)));
  }
}

}  // namespace

std::shared_ptr<const DataType> DTypeReader::read(pickle::NodeId node) { return read_at(node, 0); }

std::shared_ptr<const DataType> DTypeReader::read_at(NodeId node, int depth) {
  if (const auto found = known_.find(node); found != known_.end()) return found->second;
  if (depth > kMostDepth) {
    throw Error(ErrorCode::LimitExceeded, fmt::format("a dtype of more than {} levels", kMostDepth));
  }
  auto type = std::make_shared<const DataType>(parse(node, depth));
  charge(type->leaves.size());
  known_.emplace(node, type);
  return type;
}

/// A dtype that is used by a thousand others is laid out a thousand times.
void DTypeReader::charge(std::size_t fields) {
  fields_ += fields;
  if (fields_ <= kFreeFields + graph_.size()) return;
  throw Error(ErrorCode::LimitExceeded, "the dtypes have far more fields than the file has values");
}

DataType DTypeReader::parse(NodeId node, int depth) {
  if (pickle::callable_of(graph_, node) != Constructor::NumpyDType) {
    if (pickle::kind_of(graph_, node) == pickle::Kind::Global)
      return plain_type(parse_argument(graph_, node));
    throw Error(ErrorCode::Unsupported, "its dtype is none of numpy's own");
  }
  const auto arguments = pickle::arguments_of(graph_, node);
  if (arguments.empty()) refuse("its dtype has no name");
  const DataType base = plain_type(parse_argument(graph_, arguments[0]));
  const NodeId state = graph_.state(node);
  return state == kNoNode ? base : parse_built(base, state, depth);
}

DataType DTypeReader::parse_built(const DataType& base, NodeId node, int depth) {
  const State state = parse_state(graph_, node);
  if (!is_none(graph_, state.sub_array)) {
    const auto parts = pickle::find_sequence(graph_, state.sub_array);
    if (!parts || parts->size() != 2) refuse("the sub-array of its dtype is not (dtype, shape)");
    return sub_array_type(*read_at((*parts)[0], depth + 1), parse_shape(graph_, (*parts)[1]));
  }
  ScalarType type = base.leaves.front().type;
  set_order(type, state.order);
  if (state.bytes >= 0 && type.bytes == 0) type.bytes = static_cast<std::uint64_t>(state.bytes);
  if (!is_none(graph_, state.fields)) {
    return parse_fields(state.names, state.fields, type.bytes, depth);
  }
  if (type.kind == 'M' || type.kind == 'm') type.unit = parse_unit(graph_, state.metadata);
  return plain_type(std::move(type));
}

DataType DTypeReader::parse_fields(NodeId names, NodeId fields, std::uint64_t bytes, int depth) {
  const auto items = pickle::find_sequence(graph_, names);
  if (!items) refuse("the names of its fields are not a tuple");
  const FieldNodes by_name = index_fields(fields);
  charge(by_name.size() + items->size());
  std::vector<Field> parsed;
  for (const NodeId name : *items) parsed.push_back(parse_field(name, by_name, depth));
  return structure_type(parsed, bytes);
}

/// A field that has a title stands under both.
DTypeReader::FieldNodes DTypeReader::index_fields(NodeId fields) const {
  if (pickle::kind_of(graph_, fields) != pickle::Kind::Dict) refuse("the fields of its dtype are not a dict");
  const auto items = graph_.items(fields);
  if (items.size() / 2 > 2 * kMostLeaves) {
    throw Error(ErrorCode::LimitExceeded, fmt::format("a structure of more than {} fields", kMostLeaves));
  }
  FieldNodes by_name;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (const auto name = pickle::find_text(graph_, items[i])) by_name[*name] = items[i + 1];
  }
  return by_name;
}

Field DTypeReader::parse_field(NodeId name, const FieldNodes& fields, int depth) {
  Field field{.name = text_of(graph_, name, "a field"), .offset = 0, .type = {}};
  if (find_invalid_utf8(field.name)) refuse("the name of a field is not UTF-8");
  const auto entry = fields.find(field.name);
  const auto parts = entry == fields.end() ? std::nullopt : pickle::find_sequence(graph_, entry->second);
  if (!parts || parts->size() < 2) {
    refuse(fmt::format("the field '{}' is not (dtype, offset)", printable(field.name)));
  }
  const auto offset = pickle::find_integer(graph_, (*parts)[1]);
  if (!offset || *offset < 0) {
    refuse(fmt::format("the offset of the field '{}' is no number", printable(field.name)));
  }
  field.offset = static_cast<std::uint64_t>(*offset);
  field.type = *read_at((*parts)[0], depth + 1);
  return field;
}

}  // namespace weighbridge::numpy
