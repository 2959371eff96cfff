#include "formats/pickle/graph_builder.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "formats/pickle/cursor.hpp"
#include "formats/pickle/fault.hpp"
#include "formats/pickle/latin1.hpp"

namespace weighbridge::pickle {

GraphBuilder::GraphBuilder(SourcePtr source, std::uint64_t most_nodes)
    : most_nodes_(std::min<std::uint64_t>(most_nodes, kNoNode)) {
  graph_.source_ = std::move(source);
}

Graph::Node& GraphBuilder::add(Kind kind) {
  if (graph_.nodes_.size() >= most_nodes_)
    limit_exceeded(fmt::format("makes more than {} values", most_nodes_));
  Graph::Node node{};
  node.offset = offset_;
  node.state = kNoNode;
  node.kind = kind;
  return graph_.nodes_.emplace_back(node);
}

NodeId GraphBuilder::add_none() {
  add(Kind::None);
  return last();
}

NodeId GraphBuilder::add_bool(bool value) {
  add(Kind::Bool).body.boolean = value;
  return last();
}

NodeId GraphBuilder::add_int(std::int64_t value) {
  add(Kind::Int).body.integer = value;
  return last();
}

NodeId GraphBuilder::add_float(double value) {
  add(Kind::Float).body.real = value;
  return last();
}

NodeId GraphBuilder::add_payload(Kind kind, std::string_view bytes) {
  Graph::Node& node = add(kind);
  if (bytes.size() <= Cursor::kWindow) {
    node.place = Graph::Place::Pool;
    node.body.payload = {graph_.pool_.size(), bytes.size()};
    graph_.pool_.append(bytes);
  } else {
    node.place = Graph::Place::Owned;
    node.body.payload = {graph_.owned_.size(), bytes.size()};
    graph_.owned_.push_back(Buffer::take(std::string(bytes)));
  }
  return last();
}

NodeId GraphBuilder::add_payload_in_source(Kind kind, std::uint64_t position, std::uint64_t size) {
  Graph::Node& node = add(kind);
  node.place = Graph::Place::Source;
  node.body.payload = {position, size};
  return last();
}

NodeId GraphBuilder::add_same_payload(Kind kind, NodeId other) {
  Graph::Node& node = add(kind);
  node.place = graph_.nodes_[other].place;
  node.body.payload = graph_.nodes_[other].body.payload;
  return last();
}

NodeId GraphBuilder::add_latin1(Kind kind, NodeId text) {
  const auto [known, is_new] = latin1_.try_emplace(text, kNoNode);
  if (!is_new) return known->second == kNoNode ? kNoNode : add_same_payload(kind, known->second);
  if (const auto bytes = decode_to_latin1(*graph_.payload(text))) known->second = add_payload(kind, *bytes);
  return known->second;
}

NodeId GraphBuilder::add_container(Kind kind, std::span<const NodeId> items, NodeId origin) {
  add(kind).body.range = store(items, origin);
  return last();
}

NodeId GraphBuilder::add_global(std::string_view module, std::string_view name) {
  Graph::Node& node = add(Kind::Global);
  node.body.index = static_cast<std::uint32_t>(graph_.globals_.size());
  node.constructor = find_constructor(module, name);
  graph_.globals_.push_back({intern(module), intern(name), offset_, classify(module, name)});
  return last();
}

NodeId GraphBuilder::add_call(Kind kind, NodeId callable, NodeId arguments, NodeId keywords) {
  add(kind).body.index = static_cast<std::uint32_t>(graph_.calls_.size());
  const Graph::Range empty{0, 0, kNoNode};
  graph_.calls_.push_back({callable, arguments, keywords, empty, empty});
  return last();
}

NodeId GraphBuilder::add_persistent(NodeId persistent_id) {
  add(Kind::Persistent).body.link = persistent_id;
  return last();
}

void GraphBuilder::append(NodeId container, std::span<const NodeId> items) {
  Graph::Node& node = graph_.nodes_[container];
  const bool is_call = node.kind == Kind::Call || node.kind == Kind::Object;
  extend(is_call ? graph_.calls_[node.body.index].items : node.body.range, items);
}

void GraphBuilder::append_dict_items(NodeId object, std::span<const NodeId> items) {
  extend(graph_.calls_[graph_.nodes_[object].body.index].dict_items, items);
}

void GraphBuilder::set_verdict(NodeId global, GlobalClass verdict) noexcept {
  graph_.globals_[graph_.nodes_[global].body.index].verdict = verdict;
}

Graph::Range GraphBuilder::store(std::span<const NodeId> items, NodeId origin) {
  Graph::Range range{0, 0, origin};
  if (!items.empty()) extend(range, items);
  return range;
}

// A range of n children has room for the next power of two; one that outgrows its room moves to the
// end of the pool, so that appending stays linear and the pool at most a few times the children.
void GraphBuilder::extend(Graph::Range& range, std::span<const NodeId> items) {
  auto& pool = graph_.children_;
  const std::size_t room = range.count == 0 ? 0 : std::bit_ceil(range.count);
  const std::size_t needed = range.count + items.size();
  if (needed > room) {
    const bool at_end = range.begin + room == pool.size();
    const std::uint64_t begin = at_end && room > 0 ? range.begin : pool.size();
    pool.resize(begin + std::bit_ceil(needed), kNoNode);
    std::copy_n(pool.begin() + static_cast<std::ptrdiff_t>(range.begin), range.count,
                pool.begin() + static_cast<std::ptrdiff_t>(begin));
    range.begin = begin;
  }
  std::ranges::copy(items, pool.begin() + static_cast<std::ptrdiff_t>(range.begin + range.count));
  range.count = static_cast<std::uint32_t>(needed);
}

std::string_view GraphBuilder::intern(std::string_view name) {
  const auto known = graph_.names_.find(name);
  return known != graph_.names_.end() ? *known : *graph_.names_.emplace(name).first;
}

}  // namespace weighbridge::pickle
