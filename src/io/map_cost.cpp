#include "io/map_cost.hpp"

#include <algorithm>

namespace weighbridge::io {
namespace {

constexpr std::int64_t kBytesInNanosecond = 128;
constexpr std::int64_t kReadToForgive = 160;
// What is remembered either way: after the longest wait mapping is tried again behind 64 MiB.
constexpr std::int64_t kMostSaved = 100'000;
constexpr std::int64_t kMostLost = 500'000;

}  // namespace

void MapCost::mapped(std::chrono::nanoseconds taken, std::uint64_t bytes) noexcept {
  const std::int64_t more = taken.count() - static_cast<std::int64_t>(bytes) / kBytesInNanosecond;
  lost_ = std::clamp(lost_ + more, -kMostSaved, lost_ > 0 ? kMostLost : kBearable);
}

void MapCost::read(std::uint64_t bytes) noexcept {
  lost_ -= static_cast<std::int64_t>(bytes) / kReadToForgive;
}

}  // namespace weighbridge::io
