#include "formats/zip/forward_reader.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace weighbridge::zip {
namespace {

constexpr std::uint64_t kWindowBytes = 1 << 20;

}  // namespace

std::span<const std::byte> ForwardReader::take(std::uint64_t length) {
  const bool inside =
      position_ >= window_offset_ && range_fits(position_ - window_offset_, length, window_.size());
  if (!inside) {
    window_ = source_.read(position_, std::max(length, std::min(kWindowBytes, remaining())));
    window_offset_ = position_;
  }
  const auto bytes = window_.bytes().subspan(position_ - window_offset_, length);
  position_ += length;
  return bytes;
}

}  // namespace weighbridge::zip
