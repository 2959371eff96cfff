// The only hands that change a Graph.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "formats/pickle/graph.hpp"

namespace weighbridge::pickle {

/// Adds nodes in stream order. Throws Fault when the stream asks for more than its limits allow.
class GraphBuilder {
 public:
  GraphBuilder(SourcePtr source, std::uint64_t most_nodes);

  [[nodiscard]] const Graph& graph() const noexcept { return graph_; }
  [[nodiscard]] Graph finish() && { return std::move(graph_); }

  /// Byte of the source that the next nodes get as their offset.
  void set_offset(std::uint64_t offset) noexcept { offset_ = offset; }

  NodeId add_none();
  NodeId add_bool(bool value);
  NodeId add_int(std::int64_t value);
  NodeId add_float(double value);

  /// Text, Py2String, Bytes, ByteArray or BigInt with a copy of the bytes.
  NodeId add_payload(Kind kind, std::string_view bytes);
  /// The same for bytes that stay in the source.
  NodeId add_payload_in_source(Kind kind, std::uint64_t position, std::uint64_t size);
  /// The same with the payload of another node.
  NodeId add_same_payload(Kind kind, NodeId other);
  /// Bytes or ByteArray with the Latin-1 form of a Text; kNoNode when a character has none.
  NodeId add_latin1(Kind kind, NodeId text);

  /// List, Tuple, Dict, Set or FrozenSet. `origin` is the Global that was called, or kNoNode.
  NodeId add_container(Kind kind, std::span<const NodeId> items, NodeId origin = kNoNode);
  /// For the container that was added last.
  void set_setting(NodeId container, NodeId setting) { graph_.settings_.emplace_back(container, setting); }
  /// Names are normalised already.
  NodeId add_global(std::string_view module, std::string_view name);
  /// Call or Object.
  NodeId add_call(Kind kind, NodeId callable, NodeId arguments, NodeId keywords = kNoNode);
  NodeId add_persistent(NodeId persistent_id);

  void append(NodeId container, std::span<const NodeId> items);
  /// For Call and Object: to dict_items().
  void append_dict_items(NodeId object, std::span<const NodeId> items);
  void set_state(NodeId node, NodeId state) noexcept { graph_.nodes_[node].state = state; }
  void set_verdict(NodeId global, GlobalClass verdict) noexcept;

 private:
  Graph::Node& add(Kind kind);
  [[nodiscard]] NodeId last() const noexcept { return static_cast<NodeId>(graph_.nodes_.size() - 1); }
  Graph::Range store(std::span<const NodeId> items, NodeId origin);
  void extend(Graph::Range& range, std::span<const NodeId> items);
  std::string_view intern(std::string_view name);

  Graph graph_;
  std::uint64_t most_nodes_;
  std::uint64_t offset_ = 0;
  std::map<NodeId, NodeId> latin1_;  // Each Text that was decoded, to the first node made of it or kNoNode.
};

}  // namespace weighbridge::pickle
