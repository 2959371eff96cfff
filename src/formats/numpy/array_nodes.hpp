// Finds the numpy arrays and scalars of an object graph: _reconstruct and its state, _frombuffer,
// scalar, masked arrays.
#pragma once

#include <functional>
#include <map>
#include <variant>

#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/numpy/array.hpp"
#include "formats/numpy/dtype_nodes.hpp"

namespace weighbridge::numpy {

/// An array, or why the node that should be one is none. The error does not name a tensor.
using ArrayResult = std::variant<Array, Error>;

using Arrays = std::map<pickle::NodeId, ArrayResult>;

/// Every array and scalar of the graph. Nothing is read but what the graph holds. Only what ends the
/// whole file is thrown; an array that is wrong is in the result, with its error.
Arrays find_arrays(const pickle::Graph& graph, const Limits& limits);

/// What `make` returns, or the error that it threw. IoError passes through.
ArrayResult attempt(const std::function<Array()>& make);

}  // namespace weighbridge::numpy
