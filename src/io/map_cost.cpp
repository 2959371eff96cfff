#include "io/map_cost.hpp"

#include <algorithm>

namespace weighbridge::io {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kTrial = std::uint64_t{128} << 10;
constexpr std::uint64_t kStretch = std::uint64_t{512} << 10;
constexpr std::uint64_t kLongestWait = std::uint64_t{64} << 20;

// A few calls and the first look at a part of the page tables take 8 us, however much they map.
constexpr std::chrono::nanoseconds kForCalls = 10us;
constexpr std::uint64_t kBytesInNanosecond = 128;

bool is_dear(std::chrono::nanoseconds taken, std::uint64_t bytes) noexcept {
  return taken > kForCalls + std::chrono::nanoseconds(bytes / kBytesInNanosecond);
}

}  // namespace

std::uint64_t MapCost::stretch() const noexcept {
  if (to_read_ > 0) return std::min(to_read_, kStretch);
  return cheap_ ? kStretch : kTrial;
}

void MapCost::mapped(std::chrono::nanoseconds taken, std::uint64_t bytes) noexcept {
  if (!is_dear(taken, bytes)) {
    cheap_ = true;
    wait_ = kFirstWait;
  } else if (cheap_) {
    cheap_ = false;
  } else {
    to_read_ = wait_;
    wait_ = std::min(2 * wait_, kLongestWait);
  }
}

void MapCost::read(std::uint64_t bytes) noexcept { to_read_ -= std::min(bytes, to_read_); }

}  // namespace weighbridge::io
