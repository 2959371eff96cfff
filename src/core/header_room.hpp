// How much memory the dimensions and the metadata of one header may take together.
#pragma once

#include <algorithm>
#include <cstddef>

namespace weighbridge {

/// A dimension takes 2 bytes of text and 8 of memory, a pair of metadata 6 and 16. Together they may
/// take as much memory as the text itself; small headers need not count.
class HeaderRoom {
 public:
  explicit HeaderRoom(std::size_t text_bytes) noexcept : all_(std::max(kLeast, text_bytes)), left_(all_) {}

  [[nodiscard]] std::size_t left() const noexcept { return left_; }
  [[nodiscard]] std::size_t taken() const noexcept { return all_ - left_; }
  /// Whether there was room for so many bytes more, which are taken.
  bool take(std::size_t bytes) noexcept {
    if (left_ < bytes) return false;
    left_ -= bytes;
    return true;
  }

 private:
  static constexpr std::size_t kLeast = 1 << 20;

  std::size_t all_;
  std::size_t left_;
};

}  // namespace weighbridge
