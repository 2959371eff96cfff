#include "io/coverage.hpp"

#include <algorithm>
#include <iterator>

namespace weighbridge::io {

bool Coverage::claim(std::uint64_t begin, std::uint64_t end) {
  if (begin == end) return true;
  auto behind = ranges_.lower_bound(begin);
  if (behind != ranges_.end() && behind->first < end) return false;
  const bool has_front = behind != ranges_.begin();
  const auto front = has_front ? std::prev(behind) : ranges_.end();
  if (has_front && front->second > begin) return false;

  bytes_ += end - begin;
  if (behind != ranges_.end() && behind->first == end) {
    end = behind->second;
    behind = ranges_.erase(behind);
  }
  if (has_front && front->second == begin) {
    front->second = end;
  } else {
    ranges_.emplace_hint(behind, begin, end);
  }
  return true;
}

std::optional<std::uint64_t> Coverage::first_gap(std::uint64_t end) const {
  const bool starts = !ranges_.empty() && ranges_.begin()->first == 0;
  const std::uint64_t gap = starts ? ranges_.begin()->second : 0;
  return gap < end ? std::optional(gap) : std::nullopt;
}

std::uint64_t Coverage::next_claimed(std::uint64_t begin, std::uint64_t end) const {
  const auto next = ranges_.lower_bound(begin);
  return next == ranges_.end() ? end : std::min(next->first, end);
}

}  // namespace weighbridge::io
