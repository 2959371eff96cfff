// One checkpoint in memory: the object graph of its main pickle and where its storages lie.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/tensor.hpp>

#include "formats/numpy/array_nodes.hpp"
#include "formats/pickle/graph.hpp"
#include "formats/torch/computed_source.hpp"
#include "formats/torch/element_type.hpp"

namespace weighbridge::torch {

/// Bytes that tensors are views of. Views of one storage share `source`, so that tensors over the
/// same bytes compare equal.
struct Storage {
  SourcePtr source;
  std::uint64_t offset = 0;  ///< Of the first byte in `source`.
  std::uint64_t bytes = 0;
  const ElementType* type = nullptr;
  bool big_endian = false;
  std::string label;  ///< Names the storage in errors: "storage '3'".
};

/// Arrays that lay in the file in slices: paddle.hpp.
struct JoinedArrays {
  struct Entry {
    pickle::NodeId key = pickle::kNoNode;
    pickle::NodeId value = pickle::kNoNode;  ///< Stands in `arrays` for the whole.
  };
  pickle::NodeId table = pickle::kNoNode;  ///< The value that names them; kNoNode when there are none.
  std::vector<Entry> arrays = {};
  std::set<pickle::NodeId> slices = {};
};

/// How a tensor lies in its storage, in elements, as torch counts.
struct Geometry {
  std::uint64_t offset = 0;
  Shape shape;
  std::vector<std::uint64_t> strides;  ///< One for each dimension.
};

/// A tensor that its container describes in a table of its own, outside of the pickle.
struct TableTensor {
  std::size_t storage = 0;  ///< Into Document::storages.
  Geometry geometry;
};

/// Immutable once its reader has filled it in, but for the sources that tensors of it are computed by.
struct Document {
  pickle::Graph graph;
  pickle::NodeId root = pickle::kNoNode;
  std::vector<Storage> storages;
  std::map<pickle::NodeId, std::size_t> storage_of;     ///< Nodes that stand for a storage.
  std::map<pickle::NodeId, TableTensor> table_tensors;  ///< Nodes that stand for such a tensor.
  std::shared_ptr<ComputedSources> computed = std::make_shared<ComputedSources>();
  numpy::Arrays arrays;  ///< Nodes that are numpy arrays; assemble() finds them.
  JoinedArrays joined = {};

  [[nodiscard]] const Storage* find_storage(pickle::NodeId node) const noexcept {
    const auto found = storage_of.find(node);
    return found == storage_of.end() ? nullptr : &storages[found->second];
  }

  [[nodiscard]] const TableTensor* find_table_tensor(pickle::NodeId node) const noexcept {
    const auto found = table_tensors.find(node);
    return found == table_tensors.end() ? nullptr : &found->second;
  }
};

}  // namespace weighbridge::torch
