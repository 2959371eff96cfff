#include "formats/torch/traits.hpp"

#include <weighbridge/error.hpp>

#include "formats/torch/geometry.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/recipe.hpp"

namespace weighbridge::torch {
namespace {

/// As many as a recipe may have.
constexpr int kMostWrappers = 32;
constexpr std::string_view kParameter = "torch.nn.parameter.Parameter";

bool is_true(const Graph& graph, std::span<const NodeId> nodes, std::size_t at) {
  return nodes.size() > at && kind_of(graph, nodes[at]) == Kind::Bool && graph.boolean(nodes[at]);
}

/// Parameters and subclasses: the outermost of each names the class, and a parameter knows best whether
/// it wants gradients.
void read_wrappers(const Graph& graph, NodeId node, TensorTraits& traits) {
  for (int i = 0; i < kMostWrappers; ++i) {
    const auto arguments = arguments_of(graph, node);
    if (arguments.empty()) return;
    switch (callable_of(graph, node)) {
      case Constructor::RebuildParameter:
      case Constructor::RebuildParameterWithState:
        traits.class_name = kParameter;
        traits.requires_grad = is_true(graph, arguments, 1);
        break;
      case Constructor::Parameter: {
        traits.class_name = class_name(graph, graph.callable(node));
        const auto state = find_sequence(graph, graph.state(node));
        traits.requires_grad = state && is_true(graph, *state, 0);
        break;
      }
      case Constructor::RebuildFromTypeV2:
      case Constructor::RebuildFromType: {
        const std::string name = arguments.size() > 1 ? class_name(graph, arguments[1]) : "";
        if (traits.class_name.empty() && name != "torch.Tensor") traits.class_name = name;
        return;
      }
      case Constructor::JitRestoreTypeTag:
        break;
      default:
        return;
    }
    node = arguments[0];
  }
}

const ElementType* find_type(const Document& document, Constructor function,
                             std::span<const NodeId> arguments) {
  if (function == Constructor::RebuildTensorV3 && arguments.size() > 6) {
    return constructor_of(document.graph, arguments[6]) == Constructor::TorchDType
               ? find_element_type(document.graph.name(arguments[6]))
               : nullptr;
  }
  const Storage* storage = arguments.empty() ? nullptr : document.find_storage(arguments[0]);
  return storage == nullptr ? nullptr : storage->type;
}

void read_strides(const Graph& graph, std::span<const NodeId> arguments, const Limits& limits,
                  TensorTraits& traits) {
  if (arguments.size() < 4) return;
  try {
    Geometry geometry = parse_geometry(graph, arguments[1], arguments[2], arguments[3], "", limits);
    if (!is_contiguous(geometry)) traits.strides = std::move(geometry.strides);
  } catch (const Error&) {
    return;  // a tensor that was not taken may be unsound
  }
}

bool is_plain_rebuild(Constructor function) {
  return function == Constructor::RebuildTensor || function == Constructor::RebuildTensorV2 ||
         function == Constructor::RebuildTensorV3;
}

/// ('storage', type, ...): the name of the type.
std::string storage_class(const Graph& graph, NodeId node) {
  if (kind_of(graph, node) != Kind::Persistent) return "TypedStorage";
  const auto id = find_sequence(graph, graph.persistent_id(node));
  if (!id || id->size() < 2 || kind_of(graph, (*id)[1]) != Kind::Global) return "TypedStorage";
  return std::string(graph.name((*id)[1]));
}

}  // namespace

TensorTraits traits_of(const Document& document, pickle::NodeId node, const Limits& limits) {
  const Graph& graph = document.graph;
  TensorTraits traits;
  if (document.find_storage(node) != nullptr) {
    traits.storage = storage_class(graph, node);
    return traits;
  }
  const auto recipe = find_recipe(graph, node);
  if (!recipe || !is_plain_rebuild(recipe->function)) return traits;
  const auto arguments = find_sequence(graph, recipe->arguments).value_or(std::span<const NodeId>{});
  traits.requires_grad = is_true(graph, arguments, 4);
  read_wrappers(graph, node, traits);
  read_strides(graph, arguments, limits, traits);
  const ElementType* type = find_type(document, recipe->function, arguments);
  if (type != nullptr && !has_own_dtype(*type)) traits.dtype = type->name;
  return traits;
}

}  // namespace weighbridge::torch
