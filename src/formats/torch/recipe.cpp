#include "formats/torch/recipe.hpp"

#include <algorithm>
#include <array>

#include "formats/torch/nodes.hpp"

namespace weighbridge::torch {
namespace {

/// More wrappers than any writer makes; also ends a value that wraps itself.
constexpr int kMostWrappers = 32;

bool makes_tensor(Constructor constructor) {
  constexpr std::array kMakers = {
      Constructor::RebuildTensor,       Constructor::RebuildTensorV2,  Constructor::RebuildTensorV3,
      Constructor::RebuildSparse,       Constructor::RebuildQuantized, Constructor::RebuildMeta,
      Constructor::RebuildNested,       Constructor::RebuildJagged,    Constructor::RebuildWrapper,
      Constructor::RebuildDeviceTensor, Constructor::TorchTensorClass, Constructor::JitTensorFromId,
  };
  return std::ranges::find(kMakers, constructor) != kMakers.end();
}

bool wraps_parameter(Constructor constructor) {
  return constructor == Constructor::RebuildParameter ||
         constructor == Constructor::RebuildParameterWithState || constructor == Constructor::Parameter;
}

bool wraps_type(Constructor constructor) {
  return constructor == Constructor::RebuildFromTypeV2 || constructor == Constructor::RebuildFromType;
}

bool tags_type(Constructor constructor) {
  return constructor == Constructor::JitRestoreTypeTag || constructor == Constructor::JitBuildList;
}

std::span<const NodeId> elements(const Graph& graph, NodeId tuple) {
  return find_sequence(graph, tuple).value_or(std::span<const NodeId>{});
}

/// Walks inwards, one wrapper a step.
class Unwrapper {
 public:
  Unwrapper(const Graph& graph, NodeId node) : graph_(graph) { enter(node); }

  std::optional<Recipe> run() {
    for (int i = 0; i < kMostWrappers; ++i) {
      if (makes_tensor(at_.function)) return at_;
      if (!step()) return std::nullopt;
    }
    return std::nullopt;
  }

 private:
  void enter(NodeId node) {
    at_.node = node;
    at_.function = callable_of(graph_, node);
    at_.arguments = is_instance(graph_, node) ? graph_.arguments(node) : kNoNode;
    at_.state = is_instance(graph_, node) ? graph_.state(node) : kNoNode;
  }

  bool step() {
    const auto arguments = elements(graph_, at_.arguments);
    if (wraps_type(at_.function)) return enter_function(arguments);
    const bool parameter = wraps_parameter(at_.function);
    if (!parameter && !tags_type(at_.function)) return false;
    if (arguments.empty()) return false;
    if (at_.function == Constructor::RebuildParameterWithState && arguments.size() > 3)
      remember(arguments[3]);
    enter(arguments[0]);
    return true;
  }

  /// _rebuild_from_type_v2(function, type, arguments, state)
  bool enter_function(std::span<const NodeId> arguments) {
    if (arguments.size() < 3) return false;
    at_.function = constructor_of(graph_, arguments[0]);
    at_.type = arguments[1];
    at_.arguments = arguments[2];
    at_.state = arguments.size() > 3 ? arguments[3] : kNoNode;
    remember(at_.state);
    return true;
  }

  void remember(NodeId attributes) {
    if (at_.attributes == kNoNode) at_.attributes = attributes;
  }

  const Graph& graph_;
  Recipe at_;
};

}  // namespace

std::optional<Recipe> find_recipe(const pickle::Graph& graph, pickle::NodeId node) {
  if (!is_instance(graph, node)) return std::nullopt;
  return Unwrapper(graph, node).run();
}

pickle::NodeId strip_tags(const pickle::Graph& graph, pickle::NodeId node) {
  for (int i = 0; i < kMostWrappers && tags_type(callable_of(graph, node)); ++i) {
    const auto arguments = arguments_of(graph, node);
    if (arguments.empty()) return node;
    node = arguments[0];
  }
  return node;
}

}  // namespace weighbridge::torch
