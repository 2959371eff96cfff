#include <fmt/format.h>

#include "formats/pickle/fault.hpp"
#include "formats/pickle/kinds.hpp"
#include "formats/pickle/opcodes.hpp"

namespace weighbridge::pickle::op {
namespace {

void push_empty(Machine& m, Kind kind) { m.stack.push(m.graph.add_container(kind, {})); }

void push_from_mark(Machine& m, Kind kind) {
  const NodeId node = m.graph.add_container(kind, m.stack.above_mark());
  m.stack.drop_to_mark();
  m.stack.push(node);
}

void push_tuple(Machine& m, std::size_t count) {
  const NodeId node = m.graph.add_container(Kind::Tuple, m.stack.top_values(count));
  m.stack.drop_values(count);
  m.stack.push(node);
}

void check_pairs(std::size_t count) {
  if (count % 2 != 0) malformed(fmt::format("needs keys and values in pairs, found {} values", count));
}

// Objects may be subclasses of list or dict; which they are only their own code knows.
bool takes_anything(const Graph& graph, NodeId node) {
  const Kind kind = graph.kind(node);
  if (kind == Kind::Object) return !is_value_constructor(called_constructor(graph, node));
  return kind == Kind::Call && !is_value_constructor(called_constructor(graph, node));
}

void append_to_list(Machine& m, NodeId target, std::span<const NodeId> items) {
  const Graph& graph = m.graph.graph();
  if (graph.kind(target) != Kind::List && !takes_anything(graph, target)) {
    malformed(fmt::format("needs a list, found {}", describe(graph, target)));
  }
  m.graph.append(target, items);
}

void set_in_dict(Machine& m, NodeId target, std::span<const NodeId> items) {
  const Graph& graph = m.graph.graph();
  if (graph.kind(target) == Kind::Dict) return m.graph.append(target, items);
  if (!takes_anything(graph, target))
    malformed(fmt::format("needs a dict, found {}", describe(graph, target)));
  m.graph.append_dict_items(target, items);
}

void add_to_set(Machine& m, NodeId target, std::span<const NodeId> items) {
  const Graph& graph = m.graph.graph();
  if (graph.kind(target) != Kind::Set)
    malformed(fmt::format("needs a set, found {}", describe(graph, target)));
  m.graph.append(target, items);
}

using Extend = void (*)(Machine&, NodeId target, std::span<const NodeId> items);

// The values above the mark go into the value below it.
void extend_from_mark(Machine& m, Extend extend) {
  const std::vector<NodeId> items(m.stack.above_mark().begin(), m.stack.above_mark().end());
  m.stack.drop_to_mark();
  const NodeId target = m.stack.top();
  if (!items.empty()) extend(m, target, items);
}

// The top `count` values go into the value below them.
void extend_from_top(Machine& m, std::size_t count, Extend extend) {
  const auto values = m.stack.top_values(count + 1);
  extend(m, values.front(), values.subspan(1));
  m.stack.drop_values(count);
}

}  // namespace

void empty_list(Machine& m) { push_empty(m, Kind::List); }
void empty_tuple(Machine& m) { push_empty(m, Kind::Tuple); }
void empty_dict(Machine& m) { push_empty(m, Kind::Dict); }
void empty_set(Machine& m) { push_empty(m, Kind::Set); }

void list(Machine& m) { push_from_mark(m, Kind::List); }
void tuple(Machine& m) { push_from_mark(m, Kind::Tuple); }
void tuple1(Machine& m) { push_tuple(m, 1); }
void tuple2(Machine& m) { push_tuple(m, 2); }
void tuple3(Machine& m) { push_tuple(m, 3); }
void frozenset(Machine& m) { push_from_mark(m, Kind::FrozenSet); }

void dict(Machine& m) {
  check_pairs(m.stack.above_mark().size());
  push_from_mark(m, Kind::Dict);
}

void append(Machine& m) { extend_from_top(m, 1, append_to_list); }
void appends(Machine& m) { extend_from_mark(m, append_to_list); }
void setitem(Machine& m) { extend_from_top(m, 2, set_in_dict); }

void setitems(Machine& m) {
  check_pairs(m.stack.above_mark().size());
  extend_from_mark(m, set_in_dict);
}

void additems(Machine& m) { extend_from_mark(m, add_to_set); }

}  // namespace weighbridge::pickle::op
