// What the kernel is told of the bytes that will be looked at through a mapping.
//
// A touch of a page that is not in memory reads far around it, several MiB on some disks: right for who goes
// through the file, many times too much for who wants a few tensors of it.
#pragma once

#include <cstdint>
#include <mutex>

namespace weighbridge::io {

/// Tells stretches that are wanted here and there from those of somebody who goes through the file. Any
/// thread may use it.
class StretchWatch {
 public:
  explicit StretchWatch(std::uint64_t file_bytes) noexcept;

  /// Notes [offset, offset + length). Whether it should be fetched by itself: not when it is long, or goes on
  /// with those before it for long, as much as a third of the file at most. The kernel's reading ahead is
  /// what serves that best: it puts the file into larger pieces of memory, of which a disk reads more at
  /// once.
  bool is_sparse(std::uint64_t offset, std::uint64_t length) noexcept;

 private:
  const std::uint64_t long_;
  std::mutex mutex_;
  std::uint64_t begin_ = 0;  // of the stretch that those noted last make together
  std::uint64_t end_ = 0;
};

/// Starts to read the pages of [offset, offset + length) that are not in memory, and none beside them. Does
/// not wait.
void fetch_pages(int descriptor, std::uint64_t offset, std::uint64_t length) noexcept;

}  // namespace weighbridge::io
