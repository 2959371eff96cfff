#include "formats/hdf5/chunk_source.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/hdf5/fill_source.hpp"

namespace weighbridge::hdf5 {
namespace {

constexpr std::uint64_t kMostChunkBytes = std::uint64_t{1} << 30;

std::uint64_t product(std::span<const std::uint64_t> sizes, std::uint64_t unit) {
  std::uint64_t bytes = unit;
  for (const std::uint64_t size : sizes) {
    const auto next = checked_mul(bytes, size);
    if (!next) throw Error(ErrorCode::ValidationOverflow, "a dataset has 2^64 or more bytes");
    bytes = *next;
  }
  return bytes;
}

/// A run of bytes that lie together both in the dataset and in one chunk.
struct Run {
  std::uint64_t chunk = 0;  ///< Number in the grid, row-major.
  std::vector<std::uint64_t> corner = {};
  std::uint64_t at = 0;  ///< Byte within the chunk.
  std::uint64_t bytes = 0;
};

class ChunkSource final : public ByteSource {
 public:
  ChunkSource(ChunkLayout layout, std::unique_ptr<ChunkStore> store, std::shared_ptr<ChunkCache> cache)
      : layout_(std::move(layout)),
        store_(std::move(store)),
        cache_(std::move(cache)),
        bytes_(product(layout_.shape, layout_.element_bytes)),
        chunk_bytes_(product(layout_.chunk, layout_.element_bytes)) {
    if (chunk_bytes_ > kMostChunkBytes) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("dataset '{}' has chunks of {} bytes, the limit is {}", printable(layout_.path),
                              chunk_bytes_, kMostChunkBytes),
                  layout_.path);
    }
  }

  ~ChunkSource() override {
    // The store belongs to the library behind all sources of the file, so that its end takes the lock too.
    const std::lock_guard lock(cache_->mutex());
    cache_->drop(this);
    store_.reset();
  }

  ChunkSource(const ChunkSource&) = delete;
  ChunkSource& operator=(const ChunkSource&) = delete;

  std::uint64_t size() const override { return bytes_; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    const std::lock_guard lock(cache_->mutex());
    ChunkCache::Chunk chunk;
    std::uint64_t number = UINT64_MAX;
    while (!out.empty()) {
      const Run run = run_at(offset);
      if (run.chunk != number) {
        chunk = get_chunk(run);
        number = run.chunk;
      }
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(run.bytes, out.size()));
      std::copy_n(chunk->begin() + static_cast<std::ptrdiff_t>(run.at), count, out.begin());
      out = out.subspan(count);
      offset += count;
    }
  }

 private:
  /// REQUIRES: offset < bytes_.
  [[nodiscard]] Run run_at(std::uint64_t offset) const {
    const std::uint64_t within = offset % layout_.element_bytes;
    std::uint64_t rest = offset / layout_.element_bytes;
    Run run{.corner = std::vector<std::uint64_t>(layout_.shape.size())};
    std::uint64_t in_chunk = 1;  // elements of a chunk from one index of this dimension to the next
    std::uint64_t in_grid = 1;   // the same in chunks of the grid
    std::uint64_t run_elements = 1;
    bool together = true;  // chunks are as wide as the dataset in all dimensions behind this one
    for (std::size_t d = layout_.shape.size(); d-- > 0;) {
      const std::uint64_t size = layout_.shape[d];
      const std::uint64_t chunk = layout_.chunk[d];
      const std::uint64_t index = rest % size;
      const std::uint64_t inside = index % chunk;
      rest /= size;
      if (together) run_elements = std::min(chunk - inside, size - index) * in_chunk - run.at;
      together = together && chunk == size;
      run.corner[d] = index - inside;
      run.at += inside * in_chunk;
      run.chunk += index / chunk * in_grid;
      in_chunk *= chunk;
      in_grid *= (size - 1) / chunk + 1;
    }
    run.at = run.at * layout_.element_bytes + within;
    run.bytes = run_elements * layout_.element_bytes - within;
    return run;
  }

  [[nodiscard]] ChunkCache::Chunk get_chunk(const Run& run) const {
    const ChunkCache::Key key{this, run.chunk};
    if (auto known = cache_->find(key)) return known;
    auto chunk = std::make_shared<const std::vector<std::byte>>(decode(run));
    cache_->add(key, chunk);
    return chunk;
  }

  [[nodiscard]] std::vector<std::byte> decode(const Run& run) const {
    try {
      auto stored = store_->read(run.corner);
      if (!stored) {
        std::vector<std::byte> filled(chunk_bytes_);
        fill_with(layout_.fill, 0, filled);
        return filled;
      }
      return undo_filters(std::move(stored->bytes), layout_.filters, stored->skipped, layout_.element_bytes,
                          chunk_bytes_);
    } catch (const Error& error) {
      throw Error(error.code(),
                  fmt::format("dataset '{}', chunk at {}: {}", printable(layout_.path),
                              shape_text(run.corner), error.what()),
                  layout_.path);
    }
  }

  ChunkLayout layout_;
  std::unique_ptr<ChunkStore> store_;
  std::shared_ptr<ChunkCache> cache_;
  std::uint64_t bytes_;
  std::uint64_t chunk_bytes_;
};

}  // namespace

ChunkCache::Chunk ChunkCache::find(const Key& key) {
  const auto found = places_.find(key);
  if (found == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->chunk;
}

void ChunkCache::add(const Key& key, Chunk chunk) {
  bytes_ += chunk->size();
  entries_.push_front({key, std::move(chunk)});
  places_[key] = entries_.begin();
  while (bytes_ > most_bytes_ && entries_.size() > 1) {
    bytes_ -= entries_.back().chunk->size();
    places_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

void ChunkCache::drop(const void* owner) {
  std::erase_if(entries_, [&](const Entry& entry) {
    if (entry.key.first != owner) return false;
    bytes_ -= entry.chunk->size();
    places_.erase(entry.key);
    return true;
  });
}

SourcePtr chunk_source(ChunkLayout layout, std::unique_ptr<ChunkStore> store,
                       std::shared_ptr<ChunkCache> cache) {
  return std::make_shared<ChunkSource>(std::move(layout), std::move(store), std::move(cache));
}

}  // namespace weighbridge::hdf5
