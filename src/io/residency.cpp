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

constexpr std::uint64_t kMostCounted = std::uint64_t{16} << 20;
constexpr std::uint64_t kCountedSample = std::uint64_t{64} << 10;
constexpr std::uint64_t kSamples = 64;
// Where each fourth of them finds all, or nothing, the others are not taken: they would cost 15 us.
constexpr std::uint64_t kSparse = 4;

/// Where sample `i` begins in `length` bytes: one in each part of equal size, somewhere else in it every
/// time. What is cached at equal distances, as rows of a slice, is not taken for all of the file or for
/// nothing.
std::uint64_t sample_begin(std::uint64_t i, std::uint64_t length, std::uint64_t sample_bytes) noexcept {
  constexpr std::uint64_t kGoldenRatio = 40503;  // of 2^16
  const std::uint64_t part = length / kSamples;
  return i * part + ((i * kGoldenRatio % 65536) * (part - sample_bytes) >> 16);
}

std::optional<double> counted_share(int descriptor, std::uint64_t offset, std::uint64_t length) noexcept {
  CacheRange range{offset, length};
  CacheCounts counts;
  if (::syscall(kCachestat, descriptor, &range, &counts, 0) != 0) return std::nullopt;
  const std::uint64_t page = page_bytes();
  const std::uint64_t pages = (offset + length + page - 1) / page - offset / page;
  return std::min(1.0, static_cast<double>(counts.cached) / static_cast<double>(pages));
}

std::optional<double> counted_sample(int descriptor, std::uint64_t offset, std::uint64_t length) noexcept {
  double sum = 0;
  std::uint64_t taken = 0;
  for (std::uint64_t first = 0; first < kSparse; ++first) {
    for (std::uint64_t i = first; i < kSamples; i += kSparse, ++taken) {
      const std::uint64_t at = offset + sample_begin(i, length, kCountedSample);
      const auto share = counted_share(descriptor, at, kCountedSample);
      if (!share) return std::nullopt;
      sum += *share;
    }
    if (sum == 0 || sum == static_cast<double>(taken)) break;
  }
  return sum / static_cast<double>(taken);
}

std::optional<bool> is_resident(const Buffer& mapped, std::uint64_t at) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(mapped.bytes().data()) + at;
  unsigned char state = 0;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the page that the byte lies in
  if (::mincore(reinterpret_cast<void*>(address - address % page_bytes()), 1, &state) != 0)
    return std::nullopt;
  return (state & 1U) != 0;
}

/// Where the kernel does not count.
std::optional<double> mapped_sample(const ByteSource& source, std::uint64_t offset, std::uint64_t length) {
  const auto mapped = source.map(offset, length);
  if (!mapped) return std::nullopt;
  const bool few = length <= kSamples * page_bytes();
  const std::uint64_t samples = few ? (length + page_bytes() - 1) / page_bytes() : kSamples;
  std::uint64_t resident = 0;
  for (std::uint64_t i = 0; i < samples; ++i) {
    const auto there = is_resident(*mapped, few ? i * page_bytes() : sample_begin(i, length, page_bytes()));
    if (!there) return std::nullopt;
    resident += *there ? 1 : 0;
  }
  return static_cast<double>(resident) / static_cast<double>(samples);
}

}  // namespace

std::optional<double> resident_share(const ByteSource& source, std::uint64_t offset, std::uint64_t length) {
  const auto extent = source.file_extent(offset);
  if (!extent || length == 0) return std::nullopt;
  const auto counted = length <= kMostCounted ? counted_share(extent->descriptor, extent->offset, length)
                                              : counted_sample(extent->descriptor, extent->offset, length);
  return counted ? counted : mapped_sample(source, offset, length);
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
