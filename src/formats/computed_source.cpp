#include "formats/computed_source.hpp"

#include <algorithm>
#include <vector>

namespace weighbridge {

void ComputedSource::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  check_range(offset, out.size());
  std::vector<std::byte> unit;
  while (!out.empty()) {
    const std::uint64_t first = offset / unit_bytes_;
    const std::uint64_t skipped = offset % unit_bytes_;
    std::uint64_t done = out.size() - out.size() % unit_bytes_;
    if (skipped == 0 && done > 0) {
      make(first, out.first(done));
    } else {
      unit.resize(unit_bytes_);
      make(first, unit);
      done = std::min<std::uint64_t>(unit_bytes_ - skipped, out.size());
      std::ranges::copy(std::span(unit).subspan(skipped, done), out.begin());
    }
    out = out.subspan(done);
    offset += done;
  }
}

}  // namespace weighbridge
