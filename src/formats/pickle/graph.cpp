#include "formats/pickle/graph.hpp"

#include <algorithm>

namespace weighbridge::pickle {
namespace {

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool holds_children(Kind kind) {
  return kind == Kind::List || kind == Kind::Tuple || kind == Kind::Dict || kind == Kind::Set ||
         kind == Kind::FrozenSet;
}

}  // namespace

std::size_t Graph::size() const noexcept { return nodes_.size(); }
Kind Graph::kind(NodeId id) const noexcept { return nodes_[id].kind; }
std::uint64_t Graph::offset(NodeId id) const noexcept { return nodes_[id].offset; }

bool Graph::boolean(NodeId id) const noexcept { return nodes_[id].body.boolean; }
std::int64_t Graph::integer(NodeId id) const noexcept { return nodes_[id].body.integer; }
double Graph::real(NodeId id) const noexcept { return nodes_[id].body.real; }

std::uint64_t Graph::payload_size(NodeId id) const noexcept { return nodes_[id].body.payload.size; }

std::string_view Graph::text(NodeId id) const noexcept {
  const Node& node = nodes_[id];
  const auto [position, size] = node.body.payload;
  switch (node.place) {
    case Place::Pool:
      return std::string_view(pool_).substr(position, size);
    case Place::Owned:
      return as_text(owned_[position].bytes());
    case Place::Source:
      return {};
  }
  return {};
}

SourcePtr Graph::payload(NodeId id) const {
  const Node& node = nodes_[id];
  const auto [position, size] = node.body.payload;
  if (node.place == Place::Source) return sub_source(source_, position, size);
  if (node.place == Place::Owned) return memory_source(owned_[position]);
  return memory_source(Buffer::take(std::string(text(id))));
}

std::span<const NodeId> Graph::children(const Range& range) const noexcept {
  return std::span(children_).subspan(range.begin, range.count);
}

const Graph::Call* Graph::find_call(NodeId id) const noexcept {
  const Node& node = nodes_[id];
  const bool is_call = node.kind == Kind::Call || node.kind == Kind::Object;
  return is_call ? &calls_[node.body.index] : nullptr;
}

std::span<const NodeId> Graph::items(NodeId id) const noexcept {
  if (holds_children(kind(id))) return children(nodes_[id].body.range);
  const Call* call = find_call(id);
  return call ? children(call->items) : std::span<const NodeId>{};
}

std::span<const NodeId> Graph::dict_items(NodeId id) const noexcept {
  const Call* call = find_call(id);
  return call ? children(call->dict_items) : std::span<const NodeId>{};
}

NodeId Graph::callable(NodeId id) const noexcept { return calls_[nodes_[id].body.index].callable; }
NodeId Graph::arguments(NodeId id) const noexcept { return calls_[nodes_[id].body.index].arguments; }
NodeId Graph::keywords(NodeId id) const noexcept { return calls_[nodes_[id].body.index].keywords; }
NodeId Graph::state(NodeId id) const noexcept { return nodes_[id].state; }

NodeId Graph::setting(NodeId id) const noexcept {
  const auto found = std::ranges::lower_bound(settings_, id, {}, &std::pair<NodeId, NodeId>::first);
  return found != settings_.end() && found->first == id ? found->second : kNoNode;
}

NodeId Graph::origin(NodeId id) const noexcept {
  return holds_children(kind(id)) ? nodes_[id].body.range.origin : kNoNode;
}

std::string_view Graph::module(NodeId id) const noexcept { return globals_[nodes_[id].body.index].module; }
std::string_view Graph::name(NodeId id) const noexcept { return globals_[nodes_[id].body.index].name; }
Constructor Graph::constructor(NodeId id) const noexcept { return nodes_[id].constructor; }

NodeId Graph::persistent_id(NodeId id) const noexcept { return nodes_[id].body.link; }

}  // namespace weighbridge::pickle
