// Memory that is used again: for copies that are made time after time.
//
// The kernel clears each new page before it gives it, which takes several times as long as filling it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <weighbridge/export.hpp>

namespace weighbridge {

/// Hands out memory, and keeps some of what comes back. Any thread may use it; memory that was handed out
/// stays valid after the pool is gone.
class WB_EXPORT MemoryPool {
 public:
  /// Keeps at most `keep` bytes that are not in use.
  explicit MemoryPool(std::uint64_t keep);

  /// `bytes` bytes with an address divisible by 64, and by the size of pages from 256 KiB on; not cleared.
  /// They come back when the last copy of the pointer is gone. Throws std::bad_alloc.
  [[nodiscard]] std::shared_ptr<std::byte> take(std::size_t bytes);

  /// Sets how much is kept, and gives back what is kept above that: 0 gives back all.
  void set_keep(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t keep() const;

  /// Bytes that wait to be used again.
  [[nodiscard]] std::uint64_t kept() const;

 private:
  class Blocks;
  std::shared_ptr<Blocks> blocks_;
};

}  // namespace weighbridge
