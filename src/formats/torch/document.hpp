// One checkpoint in memory: the object graph of its main pickle and where its storages lie.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <weighbridge/byte_source.hpp>

#include "formats/pickle/graph.hpp"
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

/// Immutable once its reader has filled it in.
struct Document {
  pickle::Graph graph;
  pickle::NodeId root = pickle::kNoNode;
  std::vector<Storage> storages;
  std::map<pickle::NodeId, std::size_t> storage_of;  ///< Nodes that stand for a storage.

  [[nodiscard]] const Storage* find_storage(pickle::NodeId node) const noexcept {
    const auto found = storage_of.find(node);
    return found == storage_of.end() ? nullptr : &storages[found->second];
  }
};

}  // namespace weighbridge::torch
