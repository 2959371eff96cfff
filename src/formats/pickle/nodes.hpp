// Small questions that readers of an object graph ask of its nodes.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "formats/pickle/graph.hpp"

namespace weighbridge::pickle {

/// The kind of a node; None for kNoNode.
Kind kind_of(const Graph& graph, NodeId node) noexcept;

/// The short content of a str of Python 2 or 3, or of bytes. Nothing for other kinds and for long ones.
std::optional<std::string_view> find_text(const Graph& graph, NodeId node) noexcept;

/// An integer that fits 64 bits; bool does not count.
std::optional<std::int64_t> find_integer(const Graph& graph, NodeId node) noexcept;

/// The elements of a tuple or list; nothing for other kinds.
std::optional<std::span<const NodeId>> find_sequence(const Graph& graph, NodeId node) noexcept;

/// The value under a text key of a Dict node, the last when there are several; kNoNode when none.
NodeId find_entry(const Graph& graph, NodeId dict, std::string_view key) noexcept;

/// The meaning of a Global; None for any other node.
Constructor constructor_of(const Graph& graph, NodeId node) noexcept;

/// The meaning of what a Call or Object calls; None for any other node.
Constructor callable_of(const Graph& graph, NodeId node) noexcept;

/// The positional arguments of a Call or Object; empty for any other node.
std::span<const NodeId> arguments_of(const Graph& graph, NodeId node) noexcept;

/// Call or Object.
bool is_instance(const Graph& graph, NodeId node) noexcept;

}  // namespace weighbridge::pickle
