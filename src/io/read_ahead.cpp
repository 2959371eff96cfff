#include "io/read_ahead.hpp"

#include <algorithm>

#include <fcntl.h>

namespace weighbridge::io {
namespace {

// What the kernel reads too much behind a stretch of this length does not matter.
constexpr std::uint64_t kLongStretch = std::uint64_t{64} << 20;
// Stretches that lie this near to each other are one.
constexpr std::uint64_t kGap = std::uint64_t{64} << 10;
// The kernel reads no more for one call than its read-ahead allows, which is this where nobody set it.
constexpr std::uint64_t kPiece = std::uint64_t{128} << 10;

}  // namespace

StretchWatch::StretchWatch(std::uint64_t file_bytes) noexcept
    : long_(std::min(kLongStretch, file_bytes / 3)) {}

bool StretchWatch::is_sparse(std::uint64_t offset, std::uint64_t length) noexcept {
  const std::uint64_t end = offset + length;
  const std::lock_guard lock(mutex_);
  const bool goes_on = offset >= begin_ && offset <= end_ + kGap;
  if (!goes_on) begin_ = offset;
  end_ = goes_on ? std::max(end_, end) : end;
  return end_ - begin_ <= long_;
}

void fetch_pages(int descriptor, std::uint64_t offset, std::uint64_t length) noexcept {
  for (std::uint64_t done = 0; done < length; done += kPiece) {
    const auto bytes = static_cast<off_t>(std::min(kPiece, length - done));
    ::posix_fadvise(descriptor, static_cast<off_t>(offset + done), bytes, POSIX_FADV_WILLNEED);
  }
}

}  // namespace weighbridge::io
