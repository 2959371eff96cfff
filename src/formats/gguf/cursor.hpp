// Reads the front of a GGUF file from first to last byte, in either byte order.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <weighbridge/byte_source.hpp>

#include "base/endian.hpp"

namespace weighbridge::gguf {

/// Holds a window of the file: memory is bounded by 64 KiB and the longest text that is asked for. One
/// thread.
class Cursor {
 public:
  /// Borrows `source`.
  explicit Cursor(const ByteSource& source, std::uint64_t position = 0, bool big_endian = false)
      : source_(source), position_(position), big_endian_(big_endian) {}

  void set_big_endian(bool big_endian) noexcept { big_endian_ = big_endian; }
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  [[nodiscard]] std::uint64_t remaining() const { return source_.size() - position_; }

  // All of these throw MalformedCheckpoint, naming `what`, when the file ends before.

  template <std::integral T>
  T take(std::string_view what) {
    const std::byte* const at = take_bytes(sizeof(T), what);
    return big_endian_ ? load_be<T>(at) : load_le<T>(at);
  }
  /// A length of 8 bytes and as many bytes as it says. Valid until the next call.
  std::string_view take_text(std::uint64_t most, std::string_view what);
  void skip(std::uint64_t bytes, std::string_view what);
  /// A count of things that have `least` bytes each: no more than fit what is left of the file.
  std::uint64_t take_count(std::uint64_t least, std::string_view what);

 private:
  const std::byte* take_bytes(std::uint64_t bytes, std::string_view what);

  const ByteSource& source_;
  std::uint64_t position_;
  bool big_endian_;
  Buffer window_;
  std::uint64_t window_begin_ = 0;
};

}  // namespace weighbridge::gguf
