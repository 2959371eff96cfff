#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "formats/pickle/aliases.hpp"
#include "formats/pickle/fault.hpp"
#include "formats/pickle/fold.hpp"
#include "formats/pickle/kinds.hpp"
#include "formats/pickle/opcodes.hpp"

namespace weighbridge::pickle::op {
namespace {

// No module or class has a longer name; a stream may repeat one in every few bytes.
constexpr std::uint64_t kLongestName = 1024;

void check_name(std::string_view what, std::string_view name) {
  if (name.empty()) malformed(fmt::format("names a global with an empty {}", what));
  if (name.size() > kLongestName) {
    limit_exceeded(
        fmt::format("names a {} of {} bytes, at most {} are read", what, name.size(), kLongestName));
  }
  if (find_invalid_utf8(name))
    malformed(fmt::format("names the {} '{}', which is not UTF-8", what, printable(name)));
}

NodeId add_global(Machine& m, std::string_view module, std::string_view name) {
  check_name("module", module);
  check_name("name", name);
  const QualifiedName known = normalise(module, name);
  const NodeId node = m.graph.add_global(known.module, known.name);
  const Constructor constructor = m.graph.graph().constructor(node);
  if (constructor == Constructor::Getattr) m.attributes.globals.push_back(node);
  if (constructor == Constructor::Eval) m.evaluations.globals.push_back(node);
  return node;
}

NodeId add_global_of_lines(Machine& m) {
  const std::string module(m.in.line(kLongestName));
  return add_global(m, module, m.in.line(kLongestName));
}

void check_kind(Machine& m, NodeId node, Kind kind, std::string_view needed) {
  const Graph& graph = m.graph.graph();
  if (graph.kind(node) != kind) malformed(fmt::format("needs {}, found {}", needed, describe(graph, node)));
}

bool can_have_state(const Graph& graph, NodeId node) {
  switch (graph.kind(node)) {
    case Kind::List:
    case Kind::Dict:
    case Kind::Set:
    case Kind::FrozenSet:
    case Kind::ByteArray:
    case Kind::Call:
    case Kind::Object:
    case Kind::Persistent:
      return true;
    default:
      return false;
  }
}

// Goes past data, or puts the stream at hand aside for the one that starts here.
void enter_inlay(Machine& m, NodeId object) {
  if (!m.find_inlay || !m.suspended.empty()) return;
  const auto shape = m.find_inlay(m.graph.graph(), object, m.in.position());
  if (!shape) return;
  m.in.close_frame();
  m.in.skip(shape->padding);
  m.inlays.push_back({.object = object, .offset = m.in.position(), .bytes = shape->bytes, .root = kNoNode});
  if (!shape->is_stream) return m.in.skip(shape->bytes);
  m.suspended.push_back({std::move(m.stack), std::move(m.memo), m.inlays.size() - 1});
  m.stack = {};
  m.memo = {};
}

std::string_view text_of(Machine& m, NodeId node) {
  const Graph& graph = m.graph.graph();
  if (!is_text(graph, node)) malformed(fmt::format("needs two str, found {}", describe(graph, node)));
  if (graph.payload_size(node) > kLongestName) {
    limit_exceeded(fmt::format("names a global of {} bytes, at most {} are read", graph.payload_size(node),
                               kLongestName));
  }
  return graph.text(node);
}

}  // namespace

void global(Machine& m) { m.stack.push(add_global_of_lines(m)); }

void stack_global(Machine& m) {
  const auto operands = m.stack.top_values(2);
  const std::string module(text_of(m, operands[0]));
  const std::string name(text_of(m, operands[1]));
  m.stack.drop_values(2);
  m.stack.push(add_global(m, module, name));
}

void reduce(Machine& m) {
  const auto operands = m.stack.top_values(2);
  const NodeId callable = operands[0];
  const NodeId arguments = operands[1];
  check_kind(m, arguments, Kind::Tuple, "a tuple of arguments");
  m.stack.drop_values(2);
  m.stack.push(fold_call(m, callable, arguments));
}

// The state of a class itself would change that class for everyone, which is an attack and no data.
void build(Machine& m) {
  const auto operands = m.stack.top_values(2);
  const Graph& graph = m.graph.graph();
  if (graph.kind(operands[0]) == Kind::Global) m.graph.set_verdict(operands[0], GlobalClass::Dangerous);
  if (!can_have_state(graph, operands[0])) {
    malformed(fmt::format("needs an object that can have state, found {}", describe(graph, operands[0])));
  }
  const NodeId object = operands[0];
  m.graph.set_state(object, operands[1]);
  m.stack.drop_values(1);
  enter_inlay(m, object);
}

void inst(Machine& m) {
  const NodeId cls = add_global_of_lines(m);
  const NodeId arguments = m.graph.add_container(Kind::Tuple, m.stack.above_mark());
  m.stack.drop_to_mark();
  m.stack.push(m.graph.add_call(Kind::Object, cls, arguments));
}

void obj(Machine& m) {
  const auto values = m.stack.above_mark();
  if (values.empty()) malformed("needs a class above the mark, found nothing");
  const NodeId cls = values.front();
  const NodeId arguments = m.graph.add_container(Kind::Tuple, values.subspan(1));
  m.stack.drop_to_mark();
  m.stack.push(m.graph.add_call(Kind::Object, cls, arguments));
}

void newobj(Machine& m) {
  const auto operands = m.stack.top_values(2);
  check_kind(m, operands[1], Kind::Tuple, "a tuple of arguments");
  const NodeId object = m.graph.add_call(Kind::Object, operands[0], operands[1]);
  m.stack.drop_values(2);
  m.stack.push(object);
}

void newobj_ex(Machine& m) {
  const auto operands = m.stack.top_values(3);
  check_kind(m, operands[1], Kind::Tuple, "a tuple of arguments");
  check_kind(m, operands[2], Kind::Dict, "a dict of keyword arguments");
  const NodeId object = m.graph.add_call(Kind::Object, operands[0], operands[1], operands[2]);
  m.stack.drop_values(3);
  m.stack.push(object);
}

void persid(Machine& m) {
  const std::string_view line = m.in.line(m.limits.pickle_bytes);
  if (std::ranges::any_of(line, [](char c) { return (c & 0x80) != 0; }))
    malformed("needs a persistent id of ASCII characters");
  m.stack.push(m.graph.add_persistent(m.graph.add_payload(Kind::Text, line)));
}

void binpersid(Machine& m) { m.stack.push(m.graph.add_persistent(m.stack.pop())); }

}  // namespace weighbridge::pickle::op
