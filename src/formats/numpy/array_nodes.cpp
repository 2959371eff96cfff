#include "formats/numpy/array_nodes.hpp"

#include <fmt/format.h>

#include "formats/numpy/node_values.hpp"

namespace weighbridge::numpy {
namespace {

using pickle::Constructor;
using pickle::Graph;
using pickle::kNoNode;
using pickle::NodeId;
using Nodes = std::span<const NodeId>;

std::uint64_t count_elements(const Shape& shape) { return byte_count(shape, 1); }

/// Makes the arrays of one graph.
class Finder {
 public:
  Finder(const Graph& graph, const Limits& limits) : graph_(graph), limits_(limits), dtypes_(graph) {}

  Arrays run() {
    Arrays arrays;
    for (NodeId node = 0; node < graph_.size(); ++node) {
      if (const auto make = maker_of(node)) {
        arrays.emplace(node, attempt([&] { return (this->*make)(node); }));
      }
    }
    return arrays;
  }

 private:
  using Maker = Array (Finder::*)(NodeId);

  Maker maker_of(NodeId node) const {
    switch (pickle::callable_of(graph_, node)) {
      case Constructor::NumpyReconstruct:
        return &Finder::reconstruct;
      case Constructor::NumpyMaskedReconstruct:
        return &Finder::reconstruct_masked;
      case Constructor::NumpyFromBuffer:
        return &Finder::from_buffer;
      case Constructor::NumpyScalar:
        return &Finder::scalar;
      default:
        return nullptr;
    }
  }

  Nodes state_of(NodeId node) const {
    const auto state = pickle::find_sequence(graph_, graph_.state(node));
    if (!state) refuse("an array without its state of shape, dtype, order and data");
    return *state;
  }

  /// (version, shape, dtype, is_fortran, data); very old states have no version.
  Array reconstruct(NodeId node) {
    Nodes state = state_of(node);
    if (state.size() == 5) state = state.subspan(1);
    if (state.size() != 4) refuse(fmt::format("its state has {} items, 4 or 5 are needed", state.size()));
    return from_state(state);
  }

  /// The same with the mask and the value that stands for what is masked.
  Array reconstruct_masked(NodeId node) {
    const Nodes state = state_of(node);
    if (state.size() != 7) refuse(fmt::format("its state has {} items, 7 are needed", state.size()));
    Array array = from_state(state.subspan(1, 4));
    if (array.type->structured || array.items != kNoNode) {
      throw Error(ErrorCode::Unsupported, "masked arrays of structures or objects are not read");
    }
    array.mask = get_bytes(graph_, state[5]);
    if (array.mask->size() != count_elements(array.shape)) {
      refuse(fmt::format("its mask has {} bytes, shape {} needs {}", array.mask->size(),
                         shape_text(array.shape), count_elements(array.shape)));
    }
    return array;
  }

  Array from_state(Nodes state) {
    const auto fortran = find_flag(graph_, state[2]);
    if (!fortran) refuse("whether it is in Fortran order is neither True nor False");
    auto type = dtypes_.read(state[1]);
    const Shape shape = parse_shape(graph_, state[0]);
    if (holds_objects(*type)) return of_objects(std::move(type), shape, state[3]);
    return over(std::move(type), shape, *fortran ? Order::ColumnMajor : Order::RowMajor,
                get_bytes(graph_, state[3]));
  }

  Array of_objects(std::shared_ptr<const DataType> type, const Shape& shape, NodeId items) const {
    if (pickle::kind_of(graph_, items) != pickle::Kind::List) refuse("its objects are not a list");
    if (graph_.items(items).size() != count_elements(shape)) {
      refuse(fmt::format("it has {} objects, shape {} needs {}", graph_.items(items).size(),
                         shape_text(shape), count_elements(shape)));
    }
    Array array;
    array.type = std::move(type);
    array.shape = shape;
    array.items = items;
    return array;
  }

  Array over(std::shared_ptr<const DataType> type, const Shape& shape, Order order, SourcePtr data) const {
    const std::uint64_t bytes = data->size();
    return make_array(std::move(type), shape, order, std::move(data), 0, bytes, limits_);
  }

  /// _frombuffer(data, dtype, shape, order), or order 'K' and the axes as they are in the data.
  Array from_buffer(NodeId node) {
    const Nodes arguments = pickle::arguments_of(graph_, node);
    if (arguments.size() != 4 && arguments.size() != 5) {
      refuse(fmt::format("made from {} arguments, 4 or 5 are needed", arguments.size()));
    }
    auto type = dtypes_.read(arguments[1]);
    if (holds_objects(*type)) refuse("objects cannot be read from a buffer");
    const Shape shape = parse_shape(graph_, arguments[2]);
    const SourcePtr data = get_bytes(graph_, arguments[0]);
    if (arguments.size() == 5 && pickle::find_text(graph_, arguments[3]) == "K") {
      return transposed(over(std::move(type), shape, Order::RowMajor, data), arguments[4]);
    }
    const auto order = find_order(graph_, arguments[3]);
    if (!order) refuse("its order is neither 'C' nor 'F'");
    return over(std::move(type), shape, *order, data);
  }

  Array transposed(Array array, NodeId axes_node) const {
    const Shape axes = parse_shape(graph_, axes_node);
    const std::size_t rank = array.shape.size();
    std::vector<bool> seen(rank, false);
    Shape shape(rank);
    std::vector<std::uint64_t> strides(rank);
    if (axes.size() != rank) refuse(fmt::format("{} axes of {} dimensions", axes.size(), rank));
    for (std::size_t i = 0; i < rank; ++i) {
      if (axes[i] >= rank || seen[axes[i]]) refuse(fmt::format("its axes {} are no order", shape_text(axes)));
      seen[axes[i]] = true;
      shape[i] = array.shape[axes[i]];
      strides[i] = array.strides[axes[i]];
    }
    array.shape = std::move(shape);
    array.strides = std::move(strides);
    return array;
  }

  /// scalar(dtype, data); an object is a value and no scalar of numpy's.
  Array scalar(NodeId node) {
    const Nodes arguments = pickle::arguments_of(graph_, node);
    if (arguments.size() != 2) refuse(fmt::format("made from {} arguments, 2 are needed", arguments.size()));
    auto type = dtypes_.read(arguments[0]);
    if (holds_objects(*type)) throw Error(ErrorCode::Unsupported, "a scalar that is an object");
    Array array = over(std::move(type), {}, Order::RowMajor, get_bytes(graph_, arguments[1]));
    array.scalar = true;
    return array;
  }

  const Graph& graph_;
  const Limits& limits_;
  DTypeReader dtypes_;
};

}  // namespace

ArrayResult attempt(const std::function<Array()>& make) {
  try {
    return make();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::IoError) throw;
    return error;
  }
}

Arrays find_arrays(const pickle::Graph& graph, const Limits& limits) { return Finder(graph, limits).run(); }

}  // namespace weighbridge::numpy
