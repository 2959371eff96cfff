#include "io/pages.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <sys/mman.h>
#include <unistd.h>

namespace weighbridge::io {
namespace {

// Newer than the headers of many systems.
constexpr int kPopulateRead = 22;
constexpr int kPopulateWrite = 23;

int advise(std::uintptr_t begin, std::uintptr_t end, int advice) noexcept {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the ends of pages are found by arithmetic
  return ::madvise(reinterpret_cast<void*>(begin), end - begin, advice) == 0 ? 0 : errno;
}

}  // namespace

std::size_t page_bytes() noexcept {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

void make_pages(std::span<std::byte> memory) noexcept {
  const std::size_t page = page_bytes();
  const auto begin = (reinterpret_cast<std::uintptr_t>(memory.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(memory.data()) + memory.size()) / page * page;
  if (begin < end) advise(begin, end, kPopulateWrite);
}

bool bring_pages(std::span<const std::byte> mapped) noexcept {
  const std::size_t page = page_bytes();
  const auto begin = reinterpret_cast<std::uintptr_t>(mapped.data()) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(mapped.data()) + mapped.size() + page - 1) / page * page;
  const int failed = mapped.empty() ? 0 : advise(begin, end, kPopulateRead);
  return failed == 0 || failed == EINVAL || failed == ENOSYS || failed == EINTR || failed == EAGAIN;
}

}  // namespace weighbridge::io
