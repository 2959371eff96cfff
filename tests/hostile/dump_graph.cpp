// Prints what the pickle machine makes of streams, for comparison with CPython.
//
// Standard input: streams, each after its length in 4 bytes, little-endian. Standard output: one line
// of JSON for each. Bytes, text and floats are in hexadecimal.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/endian.hpp"
#include "formats/pickle/machine.hpp"

namespace {

using namespace weighbridge;
using namespace weighbridge::pickle;
using nlohmann::json;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string payload_hex(const Graph& graph, NodeId node) {
  const SourcePtr source = graph.payload(node);
  const Buffer bytes = source->read(0, source->size());
  return hex({reinterpret_cast<const char*>(bytes.bytes().data()), bytes.size()});
}

json reference(NodeId node) { return node == kNoNode ? json(nullptr) : json(node); }

std::string_view kind_name(Kind kind) {
  constexpr std::array kNames = {"None",      "Bool",      "Int",       "BigInt", "Float",  "Text",
                                 "Py2String", "Bytes",     "ByteArray", "List",   "Tuple",  "Dict",
                                 "Set",       "FrozenSet", "Global",    "Call",   "Object", "Persistent"};
  return kNames.at(static_cast<std::size_t>(kind));
}

json value_of(const Graph& graph, NodeId node) {
  switch (graph.kind(node)) {
    case Kind::Bool:
      return graph.boolean(node);
    case Kind::Int:
      return graph.integer(node);
    case Kind::Float:
      return fmt::format("{:016x}", std::bit_cast<std::uint64_t>(graph.real(node)));
    case Kind::BigInt:
    case Kind::Text:
    case Kind::Py2String:
    case Kind::Bytes:
    case Kind::ByteArray:
      return payload_hex(graph, node);
    case Kind::Global:
      return {hex(graph.module(node)), hex(graph.name(node))};
    case Kind::Persistent:
      return graph.persistent_id(node);
    default:
      return graph.items(node);
  }
}

json node_of(const Graph& graph, NodeId node) {
  const Kind kind = graph.kind(node);
  json out = {
      {"kind", kind_name(kind)}, {"value", value_of(graph, node)}, {"state", reference(graph.state(node))}};
  if (kind == Kind::Call || kind == Kind::Object) {
    out["callable"] = graph.callable(node);
    out["arguments"] = reference(graph.arguments(node));
    out["keywords"] = reference(graph.keywords(node));
    out["pairs"] = graph.dict_items(node);
  }
  return out;
}

json outcome_of(const Outcome& outcome) {
  json nodes = json::array();
  for (NodeId node = 0; node < outcome.graph.size(); ++node) nodes.push_back(node_of(outcome.graph, node));
  json globals = json::array();
  for (const GlobalUse& use : outcome.graph.globals()) {
    globals.push_back({hex(use.module), hex(use.name), use.offset});
  }
  json failure = nullptr;
  if (outcome.failure) failure = {error_code_name(outcome.failure->code()), hex(outcome.failure->what())};
  return {{"end", outcome.end},
          {"failure", failure},
          {"root", reference(outcome.root)},
          {"globals", globals},
          {"nodes", nodes}};
}

std::optional<std::string> next_stream() {
  std::array<std::byte, 4> length{};
  if (!std::cin.read(reinterpret_cast<char*>(length.data()), length.size())) return std::nullopt;
  std::string stream(load_le<std::uint32_t>(length.data()), '\0');
  std::cin.read(stream.data(), static_cast<std::streamsize>(stream.size()));
  return stream;
}

}  // namespace

int main() {
  while (const auto stream = next_stream()) {
    std::cout << outcome_of(run(memory_source(Buffer::take(*stream)), 0, Limits{})) << '\n';
  }
}
