// Memory for transfers past the page cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include <weighbridge/large_pages.hpp>

namespace weighbridge::io {

/// One transfer. More in one take no less time, and with less the calls begin to show.
inline constexpr std::uint64_t kUnit = std::uint64_t{1} << 20;

/// Room for some units, each at a multiple of a page, in large pages. A unit of small ones lies in 256
/// places. Some disks take no more than 254 with one request, so that it is split; and where their queue has
/// 256 entries, as that of a virtual machine may, it holds one request at a time, whatever is in flight. What
/// is never touched takes no memory. Throws std::bad_alloc.
class UnitMemory {
 public:
  explicit UnitMemory(std::size_t units)
      : bytes_(units * kUnit), first_(static_cast<std::byte*>(large_page_memory().allocate(bytes_))) {}
  UnitMemory(const UnitMemory&) = delete;
  UnitMemory& operator=(const UnitMemory&) = delete;
  ~UnitMemory() { large_page_memory().deallocate(first_, bytes_); }

  [[nodiscard]] std::byte* of(std::size_t number) const noexcept { return first_ + number * kUnit; }

 private:
  std::size_t bytes_;
  std::byte* first_;
};

}  // namespace weighbridge::io
