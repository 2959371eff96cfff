// Loading past the page cache: aligned reads, many at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "io/load_file.hpp"
#include "io/load_parts.hpp"
#include "io/page_maker.hpp"
#include "io/progress.hpp"
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

inline constexpr std::uint64_t kDirectBytes = std::uint64_t{1} << 20;

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
  struct FreePages {
    void operator()(std::byte* pages) const noexcept;
  };
  struct Slot {
    const DirectRead* read = nullptr;
    std::unique_ptr<std::byte, FreePages> buffer;
  };

  void start(const DirectRead& read, std::size_t slot);
  void finish(const DirectRead& read, std::span<const std::byte> buffer, std::int64_t result);
  std::span<std::byte> target(Slot& slot);

  PageMaker& pages_;
  ProgressMeter& meter_;
  std::vector<Slot> slots_;  // outlive the ring, which may still fill them
  std::vector<std::size_t> free_;
  std::optional<Ring> ring_;
};

}  // namespace weighbridge::io
