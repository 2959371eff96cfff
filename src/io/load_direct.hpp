// Loading past the page cache: aligned reads, many at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "io/load_file.hpp"
#include "io/load_parts.hpp"
#include "io/page_maker.hpp"
#include "io/progress.hpp"
#include "io/unit_memory.hpp"
#include "io/uring.hpp"

namespace weighbridge::io {

/// One read: whole blocks of a file, straight into a part's memory or through a buffer into that of several.
struct DirectRead {
  LoadFile* file = nullptr;
  std::uint64_t begin = 0;  ///< In the file.
  std::uint64_t bytes = 0;
  std::byte* straight = nullptr;         ///< Null: through a buffer.
  std::span<const LoadPart> parts = {};  ///< All whose bytes are among those read.
};

/// Plans the reads of `parts`: contiguous, in order of the source, and each wanted once. Parts that are
/// nearer than `gap` are read together.
void append_direct_reads(std::vector<DirectRead>& reads, LoadFile& file, std::span<const LoadPart> parts,
                         std::uint64_t gap);

/// Does direct reads, up to `depth` at once: by a ring of its own, or without one, one by one. One for each
/// thread.
class DirectLane {
 public:
  DirectLane(PageMaker& pages, ProgressMeter& meter, std::optional<Ring> ring, unsigned depth);

  [[nodiscard]] bool has_ring() const noexcept { return ring_.has_value(); }

  /// Takes reads from `next` on until there are no more. Throws IoError, Cancelled.
  void run(std::span<const DirectRead> reads, std::atomic<std::size_t>& next);

 private:
  void start(const DirectRead& read, std::size_t slot);
  void finish(const DirectRead& read, std::span<const std::byte> buffer, std::int64_t result);
  [[nodiscard]] std::span<std::byte> buffer(const DirectRead& read, std::size_t slot) const;

  PageMaker& pages_;
  ProgressMeter& meter_;
  std::vector<const DirectRead*> slots_;  // what is read into each buffer, or straight
  UnitMemory buffers_;                    // outlives the ring, which may still fill it
  std::vector<std::size_t> free_;
  std::optional<Ring> ring_;
};

}  // namespace weighbridge::io
