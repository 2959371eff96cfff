// An owned file descriptor and the exact transfers over descriptors: everything asked for is moved,
// interrupted and short calls are continued, failures are IoErrors that keep errno.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::io {

/// Closes its descriptor; -1 is none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) noexcept : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] int get() const noexcept { return descriptor_; }
  [[nodiscard]] explicit operator bool() const noexcept { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

/// Reads until `out` is full or the file ends; returns how much was read.
std::size_t read_until_end(int descriptor, std::uint64_t offset, std::span<std::byte> out,
                           std::string_view path);

/// Writes all of `bytes` at `offset` of a regular file.
void write_at(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes, std::string_view path);

/// Writes all of `bytes` at the current position; waits where the descriptor does not block.
void write_in_order(int descriptor, std::span<const std::byte> bytes, std::string_view path);

/// Copies inside the kernel as far as the kernel is willing; returns how many bytes that was.
/// Less than `length` means: move the rest by other means, which also find out why.
std::uint64_t copy_in_kernel(FileExtent from, int descriptor, std::uint64_t offset, std::uint64_t length);

}  // namespace weighbridge::io
