#include "formats/torch/nodes.hpp"

#include <fmt/format.h>

namespace weighbridge::torch {

std::string class_name(const Graph& graph, NodeId node) {
  const Kind kind = kind_of(graph, node);
  if (kind == Kind::Global) return fmt::format("{}.{}", graph.module(node), graph.name(node));
  if (kind == Kind::Persistent) {
    const auto id = find_sequence(graph, graph.persistent_id(node));
    if (id && id->size() >= 2 && kind_of(graph, (*id)[1]) == Kind::Global) return class_name(graph, (*id)[1]);
    return "<persistent id>";
  }
  return "<computed>";
}

}  // namespace weighbridge::torch
