#include "io/pages.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

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

/// Whether all pages are there already, as those of memory that is used again. Looking is a hundred times as
/// fast as having the kernel go through them to make them.
bool are_there(std::uintptr_t begin, std::uintptr_t end) noexcept {
  std::array<unsigned char, 512> states{};
  const std::size_t page = page_bytes();
  while (begin < end) {
    const std::size_t pages = std::min(states.size(), (end - begin) / page);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the ends of pages are found by arithmetic
    if (::mincore(reinterpret_cast<void*>(begin), pages * page, states.data()) != 0) return false;
    const auto last = states.begin() + static_cast<std::ptrdiff_t>(pages);
    if (!std::all_of(states.begin(), last, [](unsigned char state) { return (state & 1U) != 0; }))
      return false;
    begin += pages * page;
  }
  return true;
}

/// Of the pages of this size that lie wholly in `memory`.
std::pair<std::uintptr_t, std::uintptr_t> whole_pages(std::span<const std::byte> memory,
                                                      std::size_t page) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
  return {(begin + page - 1) / page * page, (begin + memory.size()) / page * page};
}

/// For all pages of which a byte lies in `memory`.
int advise_around(std::span<const std::byte> memory, int advice) noexcept {
  const std::size_t page = page_bytes();
  const auto begin = reinterpret_cast<std::uintptr_t>(memory.data()) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(memory.data()) + memory.size() + page - 1) / page * page;
  return advise(begin, end, advice);
}

}  // namespace

std::size_t page_bytes() noexcept {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

bool make_pages(std::span<std::byte> memory) noexcept {
  const auto [begin, end] = whole_pages(memory, page_bytes());
  if (begin >= end) return false;
  if (are_there(begin, end)) return false;
  // The kernel clears a large page towards the place that is asked for. Filled from the front it takes some
  // 4 % less time where the front was cleared first.
  advise(end - page_bytes(), end, kPopulateWrite);
  advise(begin, end, kPopulateWrite);
  return true;
}

bool lend_pages(std::span<std::byte> memory) noexcept {
  const auto [begin, end] = whole_pages(memory, page_bytes());
  return begin >= end || advise(begin, end, MADV_FREE) == 0;
}

void take_pages(std::span<std::byte> memory) noexcept {
  const auto [begin, end] = whole_pages(memory, page_bytes());
  for (std::uintptr_t page = begin; page < end; page += page_bytes()) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the ends of pages are found by arithmetic
    auto* byte = reinterpret_cast<volatile std::byte*>(page);
    *byte = *byte;
  }
}

void advise_large_pages(std::span<std::byte> memory, bool large) noexcept {
  auto [begin, end] = whole_pages(memory, kLargePage);
  const auto last = reinterpret_cast<std::uintptr_t>(memory.data()) + memory.size();
  if (end >= begin && last - end >= kMostOfLargePage) end += kLargePage;
  if (begin < end) advise(begin, end, large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

bool bring_pages(std::span<const std::byte> mapped) noexcept {
  const int failed = mapped.empty() ? 0 : advise_around(mapped, kPopulateRead);
  return failed == 0 || failed == EINVAL || failed == ENOSYS || failed == EINTR || failed == EAGAIN;
}

bool bring_pages_to_write(std::span<std::byte> mapped) noexcept {
  return mapped.empty() || advise_around(mapped, kPopulateWrite) == 0;
}

}  // namespace weighbridge::io
