// Persistent ids: how the pickle of a checkpoint refers to its storages.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// Which persistent ids a container writes.
enum class IdStyle : std::uint8_t {
  Zip,      ///< ('storage', type, key, location, numel)
  Package,  ///< The same with numbers as keys, n for record 'n.storage'; also ('reduce_package', ...).
  Legacy,   ///< The same and view_metadata; also ('module', class, file, source).
};

/// A part of a storage that has a key of its own, in elements.
struct StorageView {
  std::string key;
  std::uint64_t offset = 0;
  std::uint64_t elements = 0;
  friend bool operator==(const StorageView&, const StorageView&) = default;
};

/// One use of a storage in the graph.
struct StorageUse {
  pickle::NodeId node = pickle::kNoNode;
  std::size_t storage = 0;  ///< Into StorageIds::storages.
  std::optional<StorageView> view;
};

/// What the pickle says about one storage, before its bytes were looked for.
struct StorageId {
  std::string key;
  const ElementType* type = nullptr;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
};

/// All storages that a graph names, in order of first use.
struct StorageIds {
  std::vector<StorageId> storages;
  std::vector<StorageUse> uses;
  std::map<std::string, std::size_t, std::less<>> by_key;
};

/// Understands every persistent id of the graph. Throws MalformedCheckpoint when an id is none of
/// the container's, when a key holds anything but [0-9A-Za-z_-], and perhaps '.storage' behind
/// these, or more than 64 characters, when a size is negative or overflows, and when two ids of one key
/// disagree.
StorageIds collect_storage_ids(const pickle::Graph& graph, IdStyle style);

/// Adds the storage of every use to the document. REQUIRES: storages[i] belongs to ids.storages[i].
void bind_storages(Document& document, const StorageIds& ids, std::vector<Storage> storages);

}  // namespace weighbridge::torch
