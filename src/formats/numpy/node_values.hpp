// Values that numpy's nodes share: shapes, orders, flags.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <weighbridge/tensor.hpp>

#include "formats/numpy/array.hpp"
#include "formats/pickle/nodes.hpp"

namespace weighbridge::numpy {

/// Throws MalformedCheckpoint with this text.
[[noreturn]] void refuse(const std::string& what);

/// A tuple or list of integers that are not negative, or one integer. Throws MalformedCheckpoint.
Shape parse_shape(const pickle::Graph& graph, pickle::NodeId node);

/// True, False, 1 or 0; nothing for any other node.
std::optional<bool> find_flag(const pickle::Graph& graph, pickle::NodeId node) noexcept;

/// 'C' or 'F'; nothing for any other node.
std::optional<Order> find_order(const pickle::Graph& graph, pickle::NodeId node) noexcept;

/// The bytes of raw data: bytes, bytearray, str of Python 2, or text whose characters are bytes.
/// Throws MalformedCheckpoint for anything else.
SourcePtr get_bytes(const pickle::Graph& graph, pickle::NodeId node);

}  // namespace weighbridge::numpy
