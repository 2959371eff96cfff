#include "formats/numpy/node_values.hpp"

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "formats/pickle/kinds.hpp"
#include "formats/pickle/latin1.hpp"

namespace weighbridge::numpy {
namespace {

using pickle::Graph;
using pickle::Kind;
using pickle::NodeId;

std::uint64_t parse_size(const Graph& graph, NodeId node) {
  const auto size = pickle::find_integer(graph, node);
  if (!size) refuse("a size of its shape is not an integer");
  if (*size < 0) refuse(fmt::format("a size of its shape is {}, which is negative", *size));
  return static_cast<std::uint64_t>(*size);
}

}  // namespace

void refuse(const std::string& what) { throw Error(ErrorCode::MalformedCheckpoint, what); }

Shape parse_shape(const pickle::Graph& graph, pickle::NodeId node) {
  if (pickle::find_integer(graph, node)) return {parse_size(graph, node)};
  const auto items = pickle::find_sequence(graph, node);
  if (!items) refuse("its shape is not a tuple");
  Shape shape;
  shape.reserve(items->size());
  for (const NodeId item : *items) shape.push_back(parse_size(graph, item));
  return shape;
}

std::optional<bool> find_flag(const pickle::Graph& graph, pickle::NodeId node) noexcept {
  const Kind kind = pickle::kind_of(graph, node);
  if (kind == Kind::Bool) return graph.boolean(node);
  const auto number = pickle::find_integer(graph, node);
  if (!number || (*number != 0 && *number != 1)) return std::nullopt;
  return *number == 1;
}

std::optional<Order> find_order(const pickle::Graph& graph, pickle::NodeId node) noexcept {
  const auto text = pickle::find_text(graph, node);
  if (text == "C") return Order::RowMajor;
  if (text == "F") return Order::ColumnMajor;
  return std::nullopt;
}

SourcePtr get_bytes(const pickle::Graph& graph, pickle::NodeId node) {
  switch (pickle::kind_of(graph, node)) {
    case Kind::Bytes:
    case Kind::ByteArray:
    case Kind::Py2String:
      return graph.payload(node);
    case Kind::Text:
      if (auto bytes = pickle::decode_to_latin1(*graph.payload(node))) {
        return memory_source(Buffer::take(std::move(*bytes)));
      }
      refuse("its data is text with characters that are no bytes");
    default:
      refuse(fmt::format("its data is {}, bytes are needed",
                         node == pickle::kNoNode ? "missing" : pickle::describe(graph, node)));
  }
}

}  // namespace weighbridge::numpy
