// Small questions that one asks of the nodes of an object graph.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/pickle/graph.hpp"
#include "formats/pickle/nodes.hpp"

namespace weighbridge::torch {

using pickle::arguments_of;
using pickle::callable_of;
using pickle::Constructor;
using pickle::constructor_of;
using pickle::find_entry;
using pickle::find_integer;
using pickle::find_sequence;
using pickle::find_text;
using pickle::Graph;
using pickle::is_instance;
using pickle::Kind;
using pickle::kind_of;
using pickle::kNoNode;
using pickle::NodeId;

/// "module.name" of a Global, or of the class that a legacy stream embeds as a persistent id;
/// a description in angle brackets for anything else.
std::string class_name(const Graph& graph, NodeId node);

}  // namespace weighbridge::torch
