// Writing past the page cache: whole blocks, many at once, out of buffers that are aligned.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "io/direct_file.hpp"
#include "io/sink.hpp"

namespace weighbridge::io {

/// How many lanes there may be at once.
inline constexpr unsigned kMostDirectLanes = 12;

/// A regular file: any thread, any offset. Every lane puts what it is given together to whole MiB of the
/// file, and goes on while these are written. What begins or ends within a block, and what a direct write
/// does not take, goes through the page cache.
class DirectSink final : public Sink {
 public:
  /// `descriptor` is borrowed; `direct` is the same file. `path` is for messages.
  DirectSink(int descriptor, DirectFile direct, std::string path, unsigned lanes);
  ~DirectSink() override;

  /// Whether the file can be written to in this way.
  static bool takes(const DirectFile& direct) noexcept;

  Sink& lane(unsigned number) override;
  void complete() override;

  /// Through the first lane.
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override;
  Copied copy(FileExtent from, std::uint64_t offset, std::uint64_t length) override;

  /// Whether a ring was to be had. Bytes that direct writes took.
  [[nodiscard]] bool used_io_uring() const noexcept { return io_uring_; }
  [[nodiscard]] std::uint64_t direct_bytes() const noexcept { return direct_bytes_; }

 private:
  class Lane;

  int descriptor_;
  DirectFile direct_;
  std::string path_;
  unsigned depth_;  ///< Writes at once, of one lane.
  std::atomic<bool> io_uring_ = false;
  std::atomic<std::uint64_t> direct_bytes_ = 0;
  std::array<std::unique_ptr<Lane>, kMostDirectLanes> lanes_;
};

}  // namespace weighbridge::io
