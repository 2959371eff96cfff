#include "io/residency.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <string>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/pages.hpp"

namespace weighbridge::io {
namespace {

// Newer than the headers of many systems; the number is that of every architecture.
constexpr long kCachestat = 451;

struct CacheRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct CacheCounts {
  std::uint64_t cached = 0;
  std::uint64_t dirty = 0;
  std::uint64_t writeback = 0;
  std::uint64_t evicted = 0;
  std::uint64_t recently_evicted = 0;
};

constexpr std::uint64_t kSampledPages = 64;

std::optional<double> counted_share(int descriptor, std::uint64_t offset, std::uint64_t length) noexcept {
  CacheRange range{offset, length};
  CacheCounts counts;
  if (::syscall(kCachestat, descriptor, &range, &counts, 0) != 0) return std::nullopt;
  const std::uint64_t page = page_bytes();
  const std::uint64_t pages = (offset + length + page - 1) / page - offset / page;
  return std::min(1.0, static_cast<double>(counts.cached) / static_cast<double>(pages));
}

std::optional<double> sampled_share(const ByteSource& source, std::uint64_t offset, std::uint64_t length) {
  const auto mapped = source.map(offset, length);
  if (!mapped) return std::nullopt;
  const std::uint64_t pages = (length + page_bytes() - 1) / page_bytes();
  const std::uint64_t samples = std::min(pages, kSampledPages);
  std::uint64_t resident = 0;
  for (std::uint64_t i = 0; i < samples; ++i) {
    const auto at =
        reinterpret_cast<std::uintptr_t>(mapped->bytes().data()) + i * pages / samples * page_bytes();
    unsigned char state = 0;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the page that the byte lies in
    if (::mincore(reinterpret_cast<void*>(at - at % page_bytes()), 1, &state) != 0) return std::nullopt;
    resident += state & 1U;
  }
  return static_cast<double>(resident) / static_cast<double>(samples);
}

}  // namespace

std::optional<double> resident_share(const ByteSource& source, std::uint64_t offset, std::uint64_t length) {
  const auto extent = source.file_extent(offset);
  if (!extent || length == 0) return std::nullopt;
  const auto counted = counted_share(extent->descriptor, extent->offset, length);
  return counted ? counted : sampled_share(source, offset, length);
}

std::optional<double> resident_share(int descriptor, std::uint64_t offset, std::uint64_t length) noexcept {
  return counted_share(descriptor, offset, length);
}

std::optional<std::uint64_t> available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    std::uint64_t kibibytes = 0;
    if (word == "MemAvailable:" && file >> kibibytes) return kibibytes * 1024;
  }
  return std::nullopt;
}

}  // namespace weighbridge::io
