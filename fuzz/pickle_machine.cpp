// Runs any bytes as a pickle stream and visits every node of what comes of it.
#include <cstddef>
#include <cstdint>
#include <string>

#include "formats/pickle/machine.hpp"

namespace {

using namespace weighbridge;
using namespace weighbridge::pickle;

// Ids that lie outside of the graph, or text that lies outside of its pool, are what sanitizers find.
std::uint64_t visit_children(const Graph& graph, NodeId node) {
  std::uint64_t sum = 0;
  for (const NodeId item : graph.items(node)) sum += graph.offset(item);
  for (const NodeId item : graph.dict_items(node)) sum += graph.offset(item);
  for (const NodeId other : {graph.state(node), graph.origin(node)}) {
    if (other != kNoNode) sum += graph.offset(other);
  }
  return sum;
}

std::uint64_t visit_call(const Graph& graph, NodeId node) {
  const NodeId keywords = graph.keywords(node);
  return graph.offset(graph.callable(node)) + graph.items(graph.arguments(node)).size() +
         (keywords == kNoNode ? 0 : graph.items(keywords).size());
}

std::uint64_t visit_payload(const Graph& graph, NodeId node) {
  std::uint64_t sum = graph.payload(node)->size() - graph.payload_size(node);
  for (const char c : graph.text(node)) sum += static_cast<unsigned char>(c);
  return sum;
}

std::uint64_t visit(const Graph& graph, NodeId node) {
  switch (graph.kind(node)) {
    case Kind::Bool:
      return graph.boolean(node) ? 1 : 0;
    case Kind::Int:
      return static_cast<std::uint64_t>(graph.integer(node));
    case Kind::Float:
      return graph.real(node) > 0 ? 1 : 0;
    case Kind::BigInt:
    case Kind::Text:
    case Kind::Py2String:
    case Kind::Bytes:
    case Kind::ByteArray:
      return visit_payload(graph, node);
    case Kind::Global:
      return graph.module(node).size() + graph.name(node).size();
    case Kind::Call:
    case Kind::Object:
      return visit_call(graph, node) + visit_children(graph, node);
    case Kind::Persistent:
      return graph.offset(graph.persistent_id(node));
    default:
      return visit_children(graph, node);
  }
}

Limits small_limits() {
  Limits limits;
  limits.pickle_nodes = 20'000;
  limits.pickle_bytes = 1 << 20;
  return limits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const Outcome outcome = run(memory_source(Buffer::take(bytes)), 0, small_limits());
  std::uint64_t sum = outcome.graph.globals().size();
  for (NodeId node = 0; node < outcome.graph.size(); ++node) sum += visit(outcome.graph, node);
  const bool whole = !outcome.failure && outcome.root < outcome.graph.size() && outcome.end <= size;
  if (!whole && !outcome.failure) __builtin_trap();
  return sum == UINT64_MAX ? -1 : 0;
}
