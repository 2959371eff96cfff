// A chunked dataset as the row-major bytes that it stands for, decoded as they are read.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/tensor.hpp>

#include "formats/hdf5/filters.hpp"

namespace weighbridge::hdf5 {

struct ChunkLayout {
  std::string path = {};  ///< Of the dataset, for errors.
  Shape shape = {};
  Shape chunk = {};  ///< As many dimensions as the shape, none of them 0.
  std::uint64_t element_bytes = 1;
  std::vector<Filter> filters = {};  ///< In the order in which they were applied.
  std::vector<std::byte> fill = {};  ///< One element, for chunks that were never written.
};

/// A chunk as it lies in the file.
struct StoredChunk {
  std::vector<std::byte> bytes;
  std::uint32_t skipped = 0;  ///< Filters that were left out, a bit for each.
};

/// Where chunks come from. Used by one thread at a time.
class ChunkStore {
 public:
  ChunkStore() = default;
  ChunkStore(const ChunkStore&) = delete;
  ChunkStore& operator=(const ChunkStore&) = delete;
  virtual ~ChunkStore() = default;
  /// The chunk that begins at that element; nothing for one that was never written.
  /// Throws MalformedCheckpoint, LimitExceeded, IoError.
  virtual std::optional<StoredChunk> read(std::span<const std::uint64_t> corner) = 0;
};

/// The decoded chunks of one file that were used last. Its lock is that of everything behind it, so that
/// readers of the sources of one file take turns.
class ChunkCache {
 public:
  using Key = std::pair<const void*, std::uint64_t>;
  using Chunk = std::shared_ptr<const std::vector<std::byte>>;

  explicit ChunkCache(std::uint64_t most_bytes) : most_bytes_(most_bytes) {}

  std::mutex& mutex() noexcept { return mutex_; }
  // REQUIRES: the lock is held.
  [[nodiscard]] Chunk find(const Key& key);
  /// Lets go of others, those first that were not used for longest, until all fit.
  void add(const Key& key, Chunk chunk);
  void drop(const void* owner);

 private:
  struct Entry {
    Key key;
    Chunk chunk;
  };
  std::mutex mutex_;
  std::list<Entry> entries_;  ///< The one used last stands first.
  std::map<Key, std::list<Entry>::iterator> places_;
  std::uint64_t bytes_ = 0;
  std::uint64_t most_bytes_;
};

/// Reads at any offset take memory for one chunk, stored and decoded, and what the cache holds. Errors of
/// a chunk name the dataset. Throws LimitExceeded for a chunk of more than 1 GiB, ValidationOverflow.
SourcePtr chunk_source(ChunkLayout layout, std::unique_ptr<ChunkStore> store,
                       std::shared_ptr<ChunkCache> cache);

}  // namespace weighbridge::hdf5
