#include "formats/compressed/waypoints.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/checked.hpp"

namespace weighbridge::compressed {
namespace {

constexpr std::size_t kMost = 200;  // of 40 KiB each

}  // namespace

void Waypoints::consider(const Cursor& cursor) {
  const std::uint64_t last = points_.empty() ? 0 : points_.back().offset;
  const std::uint64_t last_compressed = points_.empty() ? 0 : points_.back().compressed_offset;
  const bool far =
      range_fits(last, span_, cursor.offset) || range_fits(last_compressed, span_, cursor.compressed_offset);
  if (!far) return;
  Cursor copy = cursor.clone();
  if (!copy.decoder) return;
  points_.push_back(std::move(copy));
  if (points_.size() >= kMost) thin_out();
}

void Waypoints::thin_out() {
  span_ *= 2;
  for (std::size_t i = 0; i < points_.size() / 2; ++i) points_[i] = std::move(points_[2 * i + 1]);
  points_.resize(points_.size() / 2);
}

const Cursor* Waypoints::find_before(std::uint64_t offset) const {
  const auto after = std::ranges::upper_bound(points_, offset, {}, &Cursor::offset);
  return after == points_.begin() ? nullptr : &*std::prev(after);
}

}  // namespace weighbridge::compressed
