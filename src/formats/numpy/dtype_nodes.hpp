// dtypes as pickles describe them: dtype('f4', False, True) and a state with the byte order and the
// fields.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "formats/numpy/dtype.hpp"
#include "formats/pickle/graph.hpp"

namespace weighbridge::numpy {

/// Understands the dtypes of one graph, each node once.
class DTypeReader {
 public:
  /// The graph outlives the reader; it may grow.
  explicit DTypeReader(const pickle::Graph& graph) : graph_(graph) {}

  /// Throws MalformedCheckpoint, Unsupported for a type that numpy itself does not have, LimitExceeded
  /// for structures that are nested or repeated beyond what a file of this size can mean.
  std::shared_ptr<const DataType> read(pickle::NodeId node);

 private:
  using FieldNodes = std::map<std::string_view, pickle::NodeId>;

  std::shared_ptr<const DataType> read_at(pickle::NodeId node, int depth);
  DataType parse(pickle::NodeId node, int depth);
  DataType parse_built(const DataType& base, pickle::NodeId state, int depth);
  DataType parse_fields(pickle::NodeId names, pickle::NodeId fields, std::uint64_t bytes, int depth);
  [[nodiscard]] FieldNodes index_fields(pickle::NodeId fields) const;
  Field parse_field(pickle::NodeId name, const FieldNodes& fields, int depth);
  void charge(std::size_t fields);

  const pickle::Graph& graph_;
  std::map<pickle::NodeId, std::shared_ptr<const DataType>> known_;
  std::uint64_t fields_ = 0;  // That were laid out so far.
};

}  // namespace weighbridge::numpy
