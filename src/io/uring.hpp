// A ring of the kernel's io_uring: many positional reads and writes in flight from one thread.
//
// Meant for descriptors opened with O_DIRECT; through the page cache a ring is slower than threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace weighbridge::io {

/// Used by one thread at a time. Memory and descriptors given to it must stay until their completion was
/// taken; the destructor waits for what is still in flight, so that nothing is written to after it.
class Ring {
 public:
  /// One transfer that ended.
  struct Completion {
    std::uint64_t tag = 0;
    std::int64_t result = 0;  ///< Bytes moved, maybe fewer than asked for, or a negative errno.
  };

  /// A ring for up to `depth` transfers at once. Nothing where there is none to be had: an old kernel, a
  /// filter of system calls, a limit.
  static std::optional<Ring> open(unsigned depth);

  Ring(Ring&&) noexcept;
  Ring& operator=(Ring&&) noexcept;
  ~Ring();

  /// Takes one transfer on; it starts with the next start() or wait(). At most 2 GiB - 4 KiB each.
  /// REQUIRES: !full().
  void read(int descriptor, std::uint64_t offset, std::span<std::byte> out, std::uint64_t tag);
  void write(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes, std::uint64_t tag);

  /// Starts what was taken on, as far as the kernel takes it now. Throws IoError when it refuses the ring.
  void start();

  /// Starts what was taken on, and waits until one transfer has ended. REQUIRES: in_flight() > 0.
  /// Throws IoError when the kernel refuses the ring itself.
  Completion wait();

  /// Transfers taken on whose completion was not taken.
  [[nodiscard]] unsigned in_flight() const noexcept;
  [[nodiscard]] bool full() const noexcept;

 private:
  class Queues;
  explicit Ring(std::unique_ptr<Queues> queues) noexcept;
  std::unique_ptr<Queues> queues_;
};

}  // namespace weighbridge::io
