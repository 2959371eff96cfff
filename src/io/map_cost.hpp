// Whether it pays to map the rows of a slice, or to read them.
#pragma once

#include <chrono>
#include <cstdint>

namespace weighbridge::io {

/// Where the page cache holds a file in large pieces, a nanosecond maps 500 bytes of it and more; in small
/// pieces 40, and to let go of them costs half as much again: then to read rows is faster. Each lane finds
/// out by mapping.
///
/// Time is counted that mapping took more than one nanosecond for 128 bytes, less what it saved. Beyond
/// 100 us rows are read, and each 160 bytes of them forgive one nanosecond: mapping is tried again now and
/// then, for 2 % of the time. One call alone, which may have had to wait for something else, decides nothing.
class MapCost {
 public:
  /// Whether to map the next rows.
  [[nodiscard]] bool bearable() const noexcept { return lost_ <= kBearable; }

  /// Counts what it took to map so many bytes, with those between rows.
  void mapped(std::chrono::nanoseconds taken, std::uint64_t bytes) noexcept;

  /// Counts rows that were read.
  void read(std::uint64_t bytes) noexcept;

 private:
  static constexpr std::int64_t kBearable = 100'000;

  std::int64_t lost_ = 0;  // nanoseconds
};

}  // namespace weighbridge::io
