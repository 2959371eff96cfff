// Reads a range of a source from front to back through a small window.
#pragma once

#include <cstdint>
#include <span>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::zip {

/// Hands out consecutive pieces of [offset, offset + length). One thread.
class ForwardReader {
 public:
  /// Borrows `source`. REQUIRES: the range lies inside it.
  ForwardReader(const ByteSource& source, std::uint64_t offset, std::uint64_t length)
      : source_(source), position_(offset), end_(offset + length) {}

  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  [[nodiscard]] std::uint64_t remaining() const noexcept { return end_ - position_; }

  /// The next `length` bytes, valid until the next call. REQUIRES: length <= remaining().
  std::span<const std::byte> take(std::uint64_t length);

 private:
  const ByteSource& source_;
  std::uint64_t position_;
  std::uint64_t end_;
  Buffer window_;
  std::uint64_t window_offset_ = 0;
};

}  // namespace weighbridge::zip
