#include "io/large_page_record.hpp"

#include <algorithm>

namespace weighbridge::io {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t kMostSaved = nanoseconds(std::chrono::milliseconds(10)).count();
constexpr std::int64_t kMostLost = nanoseconds(std::chrono::milliseconds(8)).count();

// What as much costs in small pages: 0.3 ns for each byte.
std::int64_t cost_of_small(std::uint64_t bytes) noexcept { return static_cast<std::int64_t>(bytes / 10 * 3); }

}  // namespace

bool LargePageRecord::promising(Time now) const noexcept {
  return now.time_since_epoch().count() >= pause_until_.load(std::memory_order_relaxed);
}

void LargePageRecord::count(nanoseconds taken, std::size_t bytes, Time now) noexcept {
  const std::int64_t more = taken.count() - cost_of_small(bytes);
  std::int64_t before = lost_.load(std::memory_order_relaxed);
  std::int64_t after = 0;
  do {
    after = std::max(before + more, -kMostSaved);
  } while (!lost_.compare_exchange_weak(before, after, std::memory_order_relaxed));
  if (after <= kMostLost) return;
  pause_until_.store((now + kPause).time_since_epoch().count(), std::memory_order_relaxed);
  lost_.store(0, std::memory_order_relaxed);
}

LargePageRecord& large_page_record() noexcept {
  static LargePageRecord record;
  return record;
}

}  // namespace weighbridge::io
