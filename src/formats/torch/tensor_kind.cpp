#include "formats/torch/tensor_kind.hpp"

#include "formats/torch/arrays.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/operand.hpp"

namespace weighbridge::torch {
namespace {

bool is_distributed_class(const Graph& graph, NodeId type, std::string_view name) {
  return kind_of(graph, type) == Kind::Global && graph.module(type).starts_with("torch.distributed") &&
         graph.name(type) == name;
}

TensorKind kind_of_wrapper(const Graph& graph, NodeId type) {
  if (is_distributed_class(graph, type, "DTensor")) return TensorKind::Distributed;
  if (is_distributed_class(graph, type, "ShardedTensor")) return TensorKind::Sharded;
  return TensorKind::Wrapper;
}

TensorKind kind_of_recipe(const Graph& graph, const Recipe& recipe) {
  switch (recipe.function) {
    case Constructor::RebuildSparse:
      return TensorKind::Sparse;
    case Constructor::RebuildQuantized:
      return TensorKind::Quantized;
    case Constructor::RebuildMeta:
      return TensorKind::Meta;
    case Constructor::RebuildNested:
      return TensorKind::Nested;
    case Constructor::RebuildJagged:
      return TensorKind::Jagged;
    case Constructor::RebuildWrapper:
      return kind_of_wrapper(graph, recipe.type);
    case Constructor::RebuildDeviceTensor:
      return TensorKind::Device;
    case Constructor::JitTensorFromId:
      return TensorKind::Reference;
    default:
      return TensorKind::Strided;
  }
}

/// Before wrappers were pickled by a function of their own: an object with a state.
std::optional<TensorNode> find_distributed_object(const Graph& graph, NodeId node) {
  if (!is_instance(graph, node)) return std::nullopt;
  const NodeId type = graph.callable(node);
  const TensorKind kind = kind_of_wrapper(graph, type);
  if (kind == TensorKind::Wrapper) return std::nullopt;
  Recipe recipe;
  recipe.node = node;
  recipe.type = type;
  recipe.state = recipe.attributes = graph.state(node);
  return TensorNode{.kind = kind, .recipe = recipe};
}

}  // namespace

std::optional<TensorNode> find_tensor(const Document& document, pickle::NodeId node) {
  if (node == kNoNode) return std::nullopt;
  if (is_array_tensor(document, node)) return TensorNode{.kind = TensorKind::Array, .recipe = {}};
  if (document.find_storage(node) != nullptr) return TensorNode{.kind = TensorKind::Storage, .recipe = {}};
  if (document.find_table_tensor(node) != nullptr) return TensorNode{.kind = TensorKind::Table, .recipe = {}};
  if (const auto recipe = find_recipe(document.graph, node)) {
    return TensorNode{.kind = kind_of_recipe(document.graph, *recipe), .recipe = *recipe};
  }
  return find_distributed_object(document.graph, node);
}

}  // namespace weighbridge::torch
