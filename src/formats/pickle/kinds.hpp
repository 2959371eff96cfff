// Questions about nodes that several opcodes ask.
#pragma once

#include <string>
#include <string_view>

#include "formats/pickle/graph.hpp"

namespace weighbridge::pickle {

/// "a list", "the global builtins.int": what a message calls a node.
std::string describe(const Graph& graph, NodeId node);

/// The constructor that a Call or Object names; None for every other node and every unknown name.
Constructor called_constructor(const Graph& graph, NodeId node);

/// Whether a call of it makes a value that nothing can be added to: a tensor, a size, a path, ....
bool is_value_constructor(Constructor constructor) noexcept;

/// Why a use of a name is dangerous: for what the name is, or for what the stream does to it; empty when
/// it is not.
std::string_view danger_of(const GlobalUse& use) noexcept;

/// str, of Python 3 or 2.
bool is_text(const Graph& graph, NodeId node) noexcept;

}  // namespace weighbridge::pickle
