#include "support/pickle_builder.hpp"

#include <span>

#include "base/text.hpp"

namespace weighbridge::pickle_test {
namespace {

using pickle::Graph;
using pickle::Kind;
using pickle::kNoNode;
using pickle::NodeId;

constexpr int kDeepest = 6;

std::string show_items(const Graph& graph, std::span<const NodeId> items, int depth) {
  std::string out;
  for (const NodeId item : items) out += (out.empty() ? "" : ", ") + show(graph, item, depth + 1);
  return out;
}

std::string show_pairs(const Graph& graph, std::span<const NodeId> items, int depth) {
  std::string out;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    out += (out.empty() ? "" : ", ") + show(graph, items[i], depth + 1) + ": " +
           show(graph, items[i + 1], depth + 1);
  }
  return out;
}

std::string show_global(const Graph& graph, NodeId node) {
  return fmt::format("{}.{}", graph.module(node), graph.name(node));
}

std::string show_call(const Graph& graph, NodeId node, int depth) {
  std::string out =
      show(graph, graph.callable(node), depth + 1) + show(graph, graph.arguments(node), depth + 1);
  if (graph.keywords(node) != kNoNode) out += "**" + show(graph, graph.keywords(node), depth + 1);
  if (!graph.items(node).empty()) out += "+[" + show_items(graph, graph.items(node), depth) + "]";
  if (!graph.dict_items(node).empty()) out += "+{" + show_pairs(graph, graph.dict_items(node), depth) + "}";
  return out;
}

std::string show_value(const Graph& graph, NodeId node, int depth) {
  switch (graph.kind(node)) {
    case Kind::None:
      return "None";
    case Kind::Bool:
      return graph.boolean(node) ? "True" : "False";
    case Kind::Int:
      return fmt::format("{}", graph.integer(node));
    case Kind::BigInt: {
      std::string out = "0x";
      const std::string_view bytes = graph.text(node);
      for (std::size_t i = bytes.size(); i-- > 0;)
        out += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
      return out;
    }
    case Kind::Float:
      return fmt::format("{}", graph.real(node));
    case Kind::Text:
      return fmt::format("'{}'", printable(graph.text(node)));
    case Kind::Py2String:
      return fmt::format("s'{}'", printable(graph.text(node)));
    case Kind::Bytes:
      return fmt::format("b'{}'", printable(graph.text(node)));
    case Kind::ByteArray:
      return fmt::format("bytearray(b'{}')", printable(graph.text(node)));
    case Kind::List:
      return "[" + show_items(graph, graph.items(node), depth) + "]";
    case Kind::Tuple:
      return "(" + show_items(graph, graph.items(node), depth) + ")";
    case Kind::Dict:
      return "{" + show_pairs(graph, graph.items(node), depth) + "}";
    case Kind::Set:
      return "set(" + show_items(graph, graph.items(node), depth) + ")";
    case Kind::FrozenSet:
      return "frozenset(" + show_items(graph, graph.items(node), depth) + ")";
    case Kind::Global:
      return show_global(graph, node);
    case Kind::Call:
    case Kind::Object:
      return show_call(graph, node, depth);
    case Kind::Persistent:
      return "persistent " + show(graph, graph.persistent_id(node), depth + 1);
  }
  return "?";
}

}  // namespace

std::string show(const Graph& graph, NodeId node, int depth) {
  if (depth > kDeepest) return "...";
  std::string out;
  if (graph.origin(node) != kNoNode) out += show_global(graph, graph.origin(node));
  out += show_value(graph, node, depth);
  if (graph.state(node) != kNoNode) out += "!" + show(graph, graph.state(node), depth + 1);
  return out;
}

std::string show(const pickle::Outcome& outcome) {
  return outcome.failure ? outcome.failure->what() : show(outcome.graph, outcome.root);
}

}  // namespace weighbridge::pickle_test
