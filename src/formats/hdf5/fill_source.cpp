#include "formats/hdf5/fill_source.hpp"

#include <algorithm>
#include <utility>

namespace weighbridge::hdf5 {
namespace {

class FillSource final : public ByteSource {
 public:
  FillSource(std::vector<std::byte> element, std::uint64_t bytes)
      : element_(std::move(element)), bytes_(bytes) {}

  std::uint64_t size() const override { return bytes_; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    fill_with(element_, offset, out);
  }

 private:
  std::vector<std::byte> element_;
  std::uint64_t bytes_;
};

}  // namespace

void fill_with(std::span<const std::byte> element, std::uint64_t offset, std::span<std::byte> out) {
  const bool uniform = std::ranges::all_of(element, [&](std::byte b) { return b == element.front(); });
  if (uniform) {
    std::ranges::fill(out, element.front());
    return;
  }
  std::size_t at = static_cast<std::size_t>(offset % element.size());
  for (std::byte& byte : out) {
    byte = element[at];
    if (++at == element.size()) at = 0;
  }
}

SourcePtr fill_source(std::vector<std::byte> element, std::uint64_t bytes) {
  return std::make_shared<FillSource>(std::move(element), bytes);
}

}  // namespace weighbridge::hdf5
