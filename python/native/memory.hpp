// Bytes that Python can see: what the buffer protocol, numpy and DLPack are given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/memory_pool.hpp>

namespace weighbridge::python {

/// A stretch of bytes and what keeps them alive. Immutable itself: the address never changes, so views
/// of it need no bookkeeping. The bytes may be written to when `writable`.
struct Memory {
  std::byte* data = nullptr;
  std::size_t size = 0;
  bool writable = false;
  std::shared_ptr<const void> owner = {};

  [[nodiscard]] Memory part(std::size_t offset, std::size_t length) const {
    return {data + offset, length, writable, owner};
  }
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {data, size}; }
};

/// Where memory of our own comes from.
MemoryPool& pool();

/// Memory of its own, at least 64-byte aligned and not filled. Throws std::bad_alloc.
Memory allocate(std::size_t bytes);

/// Read-only memory over a Buffer.
Memory borrow(const Buffer& buffer);

/// Throws IoError when the file has another size than when it was opened: pages of a mapping that lie
/// behind its new end would end the process.
void check_size(const ByteSource& source);

/// A private, writable mapping of a range of a file: pages are the file's until they are written to,
/// and never go back to it. Nothing where the source is not a mapped file or the mapping fails.
/// Throws IoError as check_size does.
std::optional<Memory> map_privately(const ByteSource& source, std::uint64_t offset, std::uint64_t length);

}  // namespace weighbridge::python
