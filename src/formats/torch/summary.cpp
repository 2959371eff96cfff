#include "formats/torch/summary.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/arrays.hpp"
#include "formats/torch/describe.hpp"
#include "formats/torch/names.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/rebuild.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::size_t kMostCharacters = 64;

std::string short_text(std::string_view prefix, std::string_view text, std::uint64_t size) {
  const bool cut = size > kMostCharacters;
  bool escaped = false;
  return fmt::format("{} '{}{}'", prefix, printable(valid_utf8(text.substr(0, kMostCharacters), escaped)),
                     cut ? "..." : "");
}

std::string container_text(const Graph& graph, NodeId node, std::string_view kind, std::size_t count) {
  const NodeId origin = graph.origin(node);
  if (origin == kNoNode) return fmt::format("{} of {}", kind, count);
  return fmt::format("{} of {}", printable(class_name(graph, origin)), count);
}

/// "torch.device('cuda:0')": the class and those arguments that are texts or numbers.
std::string call_text(const Graph& graph, NodeId node) {
  std::string text = printable(class_name(graph, graph.callable(node))) + "(";
  const auto arguments = arguments_of(graph, node);
  for (std::size_t i = 0; i < arguments.size() && text.size() < kMostCharacters; ++i) {
    if (i > 0) text += ", ";
    bool escaped = false;
    const auto item = find_key_text(graph, arguments[i], escaped);
    const bool quoted = item && find_text(graph, arguments[i]);
    text += quoted ? fmt::format("'{}'", printable(item->substr(0, kMostCharacters)))
                   : item.value_or("...").substr(0, kMostCharacters);
  }
  return text + ")";
}

std::string instance_text(const Graph& graph, NodeId node) {
  if (is_single_value(graph, node)) return call_text(graph, node);
  return fmt::format("object {}", printable(class_name(graph, graph.callable(node))));
}

std::string tensor_text(const Document& document, NodeId node) {
  if (const std::string special = describe_briefly(document, node); !special.empty()) {
    return "tensor " + special;
  }
  try {
    const auto entries = rebuild_tensors(document, node, "", OpenOptions{});
    if (entries.size() != 1) return fmt::format("tensor of {} parts", entries.size());
    const TensorSpec& spec = entries.front().spec;
    return fmt::format("tensor {} {}", dtype_name(spec.dtype), shape_text(spec.shape));
  } catch (const Error&) {
    return "tensor";
  }
}

}  // namespace

bool is_single_value(const pickle::Graph& graph, pickle::NodeId node) {
  constexpr std::array kValues = {
      Constructor::Complex,   Constructor::Slice,       Constructor::PyRange,     Constructor::Path,
      Constructor::TorchSize, Constructor::TorchDevice, Constructor::TorchLayout, Constructor::NumpyDType,
  };
  return std::ranges::find(kValues, callable_of(graph, node)) != kValues.end();
}

std::string summarize(const Document& document, pickle::NodeId node) {
  const Graph& graph = document.graph;
  if (is_tensor(document, node)) return tensor_text(document, node);
  if (const numpy::Array* array = find_array(document, node)) return numpy::summary_of(*array);
  switch (kind_of(graph, node)) {
    case Kind::None:
      return "None";
    case Kind::Bool:
      return graph.boolean(node) ? "bool True" : "bool False";
    case Kind::Int:
      return fmt::format("int {}", graph.integer(node));
    case Kind::BigInt:
      return fmt::format("int of {} bytes", graph.payload_size(node));
    case Kind::Float:
      return fmt::format("float {}", graph.real(node));
    case Kind::Text:
    case Kind::Py2String:
      return short_text("str", graph.text(node), graph.payload_size(node));
    case Kind::Bytes:
      return fmt::format("bytes of {}", graph.payload_size(node));
    case Kind::ByteArray:
      return fmt::format("bytearray of {}", graph.payload_size(node));
    case Kind::List:
      return container_text(graph, node, "list", graph.items(node).size());
    case Kind::Tuple:
      return fmt::format("tuple of {}", graph.items(node).size());
    case Kind::Dict:
      return container_text(graph, node, "dict", graph.items(node).size() / 2);
    case Kind::Set:
      return fmt::format("set of {}", graph.items(node).size());
    case Kind::FrozenSet:
      return fmt::format("frozenset of {}", graph.items(node).size());
    case Kind::Global:
      return fmt::format("global {}", printable(class_name(graph, node)));
    case Kind::Call:
    case Kind::Object:
      return instance_text(graph, node);
    case Kind::Persistent:
      return fmt::format("global {}", printable(class_name(graph, node)));
  }
  return "value";
}

}  // namespace weighbridge::torch
