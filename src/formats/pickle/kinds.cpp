#include "formats/pickle/kinds.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge::pickle {
namespace {

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::None:
      return "None";
    case Kind::Bool:
      return "a bool";
    case Kind::Int:
    case Kind::BigInt:
      return "an int";
    case Kind::Float:
      return "a float";
    case Kind::Text:
    case Kind::Py2String:
      return "a str";
    case Kind::Bytes:
      return "bytes";
    case Kind::ByteArray:
      return "a bytearray";
    case Kind::List:
      return "a list";
    case Kind::Tuple:
      return "a tuple";
    case Kind::Dict:
      return "a dict";
    case Kind::Set:
      return "a set";
    case Kind::FrozenSet:
      return "a frozenset";
    case Kind::Global:
      return "the global";
    case Kind::Call:
      return "the result of a call of";
    case Kind::Object:
      return "an object of";
    case Kind::Persistent:
      return "a persistent object";
  }
  return "something else";
}

std::string global_name(const Graph& graph, NodeId node) {
  if (graph.kind(node) != Kind::Global) return "a computed class";
  return printable(graph.module(node)) + "." + printable(graph.name(node));
}

}  // namespace

std::string describe(const Graph& graph, NodeId node) {
  const Kind kind = graph.kind(node);
  if (kind == Kind::Global) return fmt::format("{} {}", kind_name(kind), global_name(graph, node));
  if (kind != Kind::Call && kind != Kind::Object) return std::string(kind_name(kind));
  return fmt::format("{} {}", kind_name(kind), global_name(graph, graph.callable(node)));
}

Constructor called_constructor(const Graph& graph, NodeId node) {
  const Kind kind = graph.kind(node);
  if (kind != Kind::Call && kind != Kind::Object) return Constructor::None;
  const NodeId callable = graph.callable(node);
  return graph.kind(callable) == Kind::Global ? graph.constructor(callable) : Constructor::None;
}

bool is_value_constructor(Constructor constructor) noexcept {
  switch (constructor) {
    case Constructor::None:
    case Constructor::OrderedDict:
    case Constructor::DefaultDict:
    case Constructor::Counter:
    case Constructor::Dict:
    case Constructor::List:
    case Constructor::Deque:
    case Constructor::Reconstructor:
      return false;
    default:
      return true;
  }
}

std::string_view danger_of(const GlobalUse& use) noexcept {
  if (use.verdict != GlobalClass::Dangerous) return {};
  const std::string_view reason = danger_of(use.module, use.name);
  return reason.empty() ? "gets a new state, for everyone that uses it" : reason;
}

bool is_text(const Graph& graph, NodeId node) noexcept {
  return graph.kind(node) == Kind::Text || graph.kind(node) == Kind::Py2String;
}

}  // namespace weighbridge::pickle
