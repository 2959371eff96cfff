// Whether it pays to map the rows of a slice, or to read them.
#pragma once

#include <chrono>
#include <cstdint>

namespace weighbridge::io {

/// Where the page cache holds a file in large pieces, a nanosecond maps 500 bytes of it and more; in small
/// pieces 40, and to let go of them costs half as much again: then to read rows is faster. One file may have
/// both: what is read from the beginning on starts in small pieces. Each lane finds out by mapping a little.
///
/// Where that was dear, rows are read, and a little is mapped again behind 1 MiB of them; behind twice as
/// much each time that it is dear again. Where it was cheap, rows are mapped until it is dear twice in a row:
/// once may be a call that had to wait for something else.
class MapCost {
 public:
  /// Whether to map the next rows.
  [[nodiscard]] bool bearable() const noexcept { return to_read_ == 0; }

  /// How many bytes of rows to map or to read before it is asked again. Never 0.
  [[nodiscard]] std::uint64_t stretch() const noexcept;

  /// Counts what it took to map so many bytes, with those between rows.
  void mapped(std::chrono::nanoseconds taken, std::uint64_t bytes) noexcept;

  /// Counts rows that were read: no more than stretch().
  void read(std::uint64_t bytes) noexcept;

 private:
  static constexpr std::uint64_t kFirstWait = std::uint64_t{1} << 20;

  bool cheap_ = false;  // the last time
  std::uint64_t wait_ = kFirstWait;
  std::uint64_t to_read_ = 0;
};

}  // namespace weighbridge::io
