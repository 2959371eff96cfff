// What large pages cost of late, as the loads of a process find out.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weighbridge::io {

/// Whether the kernel has large pages ready. That is a matter of the machine, not of one load: many small
/// loads, of which none could afford to find out, know it from each other. Any thread may use it.
///
/// Time is counted that large pages took more than small ones would have, less what they saved, of which
/// 10 ms are remembered. When that is more than 8 ms, all make small pages for 2 s. A host that has none
/// takes 5 to 8 ms for one: two threads find that out at once, and it costs less than 1 % of the time. One
/// such page alone, among others that come at once, is no reason: with small ones a load of 128 MiB
/// takes 41 ms instead of 25.
class LargePageRecord {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kPause{2};

  /// Whether it is time to ask for large pages.
  [[nodiscard]] bool promising(Time now) const noexcept;

  /// Counts what it took to make large pages of so many bytes, up to `now`.
  void count(std::chrono::nanoseconds taken, std::size_t bytes, Time now) noexcept;

 private:
  std::atomic<std::int64_t> lost_ = 0;  // nanoseconds
  std::atomic<Time::rep> pause_until_ = Time::min().time_since_epoch().count();
};

/// The record of this process. There is one, since all its loads ask the same kernel.
LargePageRecord& large_page_record() noexcept;

}  // namespace weighbridge::io
