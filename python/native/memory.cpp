#include "memory.hpp"

#include <algorithm>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace weighbridge::python {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

struct Unmap {
  std::size_t bytes;
  void operator()(void* base) const noexcept { ::munmap(base, bytes); }
};

}  // namespace

Memory allocate(std::size_t bytes) {
  const std::size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kCacheLine;
  const std::align_val_t aligned{alignment};
  void* base = ::operator new(std::max<std::size_t>(bytes, 1), aligned);
  // Fewer page faults; where huge pages are off this changes nothing.
  if (alignment == kHugePage) ::madvise(base, bytes, MADV_HUGEPAGE);
  const auto release = [aligned](void* memory) { ::operator delete(memory, aligned); };
  return {static_cast<std::byte*>(base), bytes, true, std::shared_ptr<void>(base, release)};
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
