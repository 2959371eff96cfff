// Memory that is used again: for copies that are made time after time.
//
// The kernel clears each new page before it gives it, which takes several times as long as filling it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include <weighbridge/export.hpp>

namespace weighbridge {

/// Hands out memory, and keeps some of what comes back. Any thread may use it; memory that was handed out
/// stays valid after the pool is gone.
///
/// What is kept may be lent to the kernel meanwhile, which takes its pages when memory is short, from this
/// process or another, and then has to make them again. Until then they count as memory of this process.
class WB_EXPORT MemoryPool {
 public:
  static constexpr std::uint64_t kLendNothing = std::numeric_limits<std::uint64_t>::max();

  /// Keeps at most `keep` bytes that are not in use, and lends all but the latest `firm` of them.
  explicit MemoryPool(std::uint64_t keep, std::uint64_t firm = kLendNothing);

  /// `bytes` bytes with an address divisible by 64, by the size of pages from 256 KiB on, and by that of
  /// large pages from 2 MiB on, the last of which is its own where most of it is asked for; not cleared. They
  /// come back when the last copy of the pointer is gone. Throws std::bad_alloc.
  [[nodiscard]] std::shared_ptr<std::byte> take(std::size_t bytes);

  /// Sets how much is kept, and gives back what is kept above that: 0 gives back all.
  void set_keep(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t keep() const;

  /// Bytes that wait to be used again.
  [[nodiscard]] std::uint64_t kept() const;

  /// Those of them that are lent.
  [[nodiscard]] std::uint64_t lent() const;

 private:
  class Blocks;
  std::shared_ptr<Blocks> blocks_;
};

}  // namespace weighbridge
