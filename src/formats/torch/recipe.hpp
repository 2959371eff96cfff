// Finds the call that makes a tensor under the wrappers that torch puts around it: parameters,
// subclasses, type tags.
#pragma once

#include <optional>

#include "formats/pickle/graph.hpp"

namespace weighbridge::torch {

/// The innermost call: which function is given what.
struct Recipe {
  pickle::Constructor function = pickle::Constructor::None;
  pickle::NodeId node = pickle::kNoNode;       ///< The call itself, for its place in the stream.
  pickle::NodeId arguments = pickle::kNoNode;  ///< A Tuple.
  /// What BUILD gave to the call, or what _rebuild_from_type gives to the tensor.
  pickle::NodeId state = pickle::kNoNode;
  pickle::NodeId type = pickle::kNoNode;        ///< The class that _rebuild_from_type names.
  pickle::NodeId attributes = pickle::kNoNode;  ///< Python attributes that a wrapper carries.
};

/// The recipe of a tensor; nothing when the node describes none.
std::optional<Recipe> find_recipe(const pickle::Graph& graph, pickle::NodeId node);

/// The value under wrappers that change nothing about it (restore_type_tag, build_intlist and its kind).
pickle::NodeId strip_tags(const pickle::Graph& graph, pickle::NodeId node);

}  // namespace weighbridge::torch
