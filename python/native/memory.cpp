#include "memory.hpp"

#include <algorithm>

#include <weighbridge/memory_pool.hpp>

#include <sys/mman.h>
#include <unistd.h>

namespace weighbridge::python {
namespace {

// All but this much of what is kept for the next copy is lent.
constexpr std::uint64_t kFirmBytes = std::uint64_t{256} << 20;

/// What is kept unless the user says otherwise: a quarter of the machine's memory.
std::uint64_t keep_bytes() {
  const auto page = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 0L));
  const auto pages = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PHYS_PAGES), 0L));
  return std::max(page * pages / 4, kFirmBytes);
}

struct Unmap {
  std::size_t bytes;
  void operator()(void* base) const noexcept { ::munmap(base, bytes); }
};

}  // namespace

// One for the process: memory that one file's tensors had is there for those of the next.
MemoryPool& pool() {
  static MemoryPool pool(keep_bytes(), kFirmBytes);
  return pool;
}

Memory allocate(std::size_t bytes) {
  const std::shared_ptr<std::byte> memory = pool().take(bytes);
  return {memory.get(), bytes, true, memory};
}

Memory borrow(const Buffer& buffer) {
  const auto bytes = buffer.bytes();
  // Never written through: `writable` is false.
  return {const_cast<std::byte*>(bytes.data()), bytes.size(), false, std::make_shared<Buffer>(buffer)};
}

void check_size(const ByteSource& source) { source.read_at(source.size(), {}); }

std::optional<Memory> map_privately(const ByteSource& source, std::uint64_t offset, std::uint64_t length) {
  const auto extent = source.file_extent(offset);
  // A source that gives no shared mapping is on a file system where none is safe.
  if (!extent || length == 0 || !source.map(offset, length)) return std::nullopt;
  check_size(source);
  const std::uint64_t inside = extent->offset % static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t bytes = length + inside;
  // Without MAP_NORESERVE a model larger than memory could not be mapped at all.
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, extent->descriptor,
                      static_cast<off_t>(extent->offset - inside));
  if (base == MAP_FAILED) return std::nullopt;
  return Memory{static_cast<std::byte*>(base) + inside, length, true,
                std::shared_ptr<void>(base, Unmap{bytes})};
}

}  // namespace weighbridge::python
