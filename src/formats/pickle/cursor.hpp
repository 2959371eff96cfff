// A position in a pickle stream, with a window of its bytes in memory.
//
// Every length is checked against the bytes that remain before anything is read or allocated.
// Violations throw Fault; the source's own failures pass through as IoError.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>

#include "base/endian.hpp"

namespace weighbridge::pickle {

class Cursor {
 public:
  /// The most bytes that bytes() gives; longer payloads are skipped and stay in the source.
  static constexpr std::size_t kWindow = 64 * 1024;

  Cursor(SourcePtr source, std::uint64_t offset);

  [[nodiscard]] std::uint64_t position() const noexcept { return window_start_ + at_; }
  [[nodiscard]] std::uint64_t remaining() const noexcept { return size_ - position(); }
  /// Bytes gone past, without the payloads that were skipped.
  [[nodiscard]] std::uint64_t consumed() const noexcept { return position() - start_ - skipped_; }
  [[nodiscard]] const SourcePtr& source() const noexcept { return source_; }

  std::uint8_t byte() { return static_cast<std::uint8_t>(*take(1)); }

  /// The byte that starts an opcode. One that lies in a frame has all its arguments there.
  std::uint8_t opcode() {
    in_frame_ = position() < frame_end_;
    return byte();
  }

  template <std::integral T>
  T little_endian() {
    return load_le<T>(take(sizeof(T)));
  }
  template <std::integral T>
  T big_endian() {
    return load_be<T>(take(sizeof(T)));
  }

  /// The next `count` bytes; valid until the next call. REQUIRES: count <= kWindow.
  std::string_view bytes(std::size_t count) { return {take(count), count}; }

  /// Up to the next newline, which is consumed and not given; valid until the next call. A line of
  /// more than `most` bytes is refused.
  std::string_view line(std::uint64_t most);

  /// Goes past a payload without reading it.
  void skip(std::uint64_t count);

  /// The next `length` bytes are a frame. Refused inside another.
  void open_frame(std::uint64_t length);

  /// What follows is in no frame. Refused within one.
  void close_frame();

 private:
  const char* take(std::size_t count);
  void check_available(std::uint64_t count) const;
  void check_frame(std::uint64_t count) const;
  void refill();
  void refill_for(std::size_t count);
  [[nodiscard]] std::string_view window() const noexcept {
    return std::string_view(window_.data(), filled_).substr(at_);
  }

  SourcePtr source_;
  std::uint64_t size_;
  std::uint64_t start_;
  std::uint64_t window_start_;  // Byte of the source that window_[0] holds.
  std::size_t filled_ = 0;
  std::size_t at_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t frame_end_ = 0;
  bool in_frame_ = false;  // The opcode at hand.
  std::vector<char> window_;
  std::string long_line_;
};

}  // namespace weighbridge::pickle
