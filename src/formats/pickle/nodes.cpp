#include "formats/pickle/nodes.hpp"

namespace weighbridge::pickle {

Kind kind_of(const Graph& graph, NodeId node) noexcept {
  return node == kNoNode ? Kind::None : graph.kind(node);
}

std::optional<std::string_view> find_text(const Graph& graph, NodeId node) noexcept {
  const Kind kind = kind_of(graph, node);
  if (kind != Kind::Text && kind != Kind::Py2String && kind != Kind::Bytes) return std::nullopt;
  const std::string_view text = graph.text(node);
  if (text.size() != graph.payload_size(node)) return std::nullopt;
  return text;
}

std::optional<std::int64_t> find_integer(const Graph& graph, NodeId node) noexcept {
  if (kind_of(graph, node) != Kind::Int) return std::nullopt;
  return graph.integer(node);
}

std::optional<std::span<const NodeId>> find_sequence(const Graph& graph, NodeId node) noexcept {
  const Kind kind = kind_of(graph, node);
  if (kind != Kind::Tuple && kind != Kind::List) return std::nullopt;
  return graph.items(node);
}

NodeId find_entry(const Graph& graph, NodeId dict, std::string_view key) noexcept {
  if (kind_of(graph, dict) != Kind::Dict) return kNoNode;
  const auto items = graph.items(dict);
  for (std::size_t i = items.size() / 2; i-- > 0;) {
    if (find_text(graph, items[2 * i]) == key) return items[2 * i + 1];
  }
  return kNoNode;
}

Constructor constructor_of(const Graph& graph, NodeId node) noexcept {
  return kind_of(graph, node) == Kind::Global ? graph.constructor(node) : Constructor::None;
}

Constructor callable_of(const Graph& graph, NodeId node) noexcept {
  return is_instance(graph, node) ? constructor_of(graph, graph.callable(node)) : Constructor::None;
}

std::span<const NodeId> arguments_of(const Graph& graph, NodeId node) noexcept {
  if (!is_instance(graph, node)) return {};
  return find_sequence(graph, graph.arguments(node)).value_or(std::span<const NodeId>{});
}

bool is_instance(const Graph& graph, NodeId node) noexcept {
  const Kind kind = kind_of(graph, node);
  return kind == Kind::Call || kind == Kind::Object;
}

}  // namespace weighbridge::pickle
