#include "formats/numpy/joined_source.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include "base/checked.hpp"

namespace weighbridge::numpy {
namespace {

class JoinedSource final : public ByteSource {
 public:
  explicit JoinedSource(const std::vector<Stretch>& stretches) {
    for (const Stretch& stretch : stretches) {
      if (stretch.bytes == 0) continue;
      parts_.push_back({sub_source(stretch.source, stretch.offset, stretch.bytes), size_});
      const auto size = checked_add(size_, stretch.bytes);
      if (!size) throw Error(ErrorCode::ValidationOverflow, "the parts of an array have 2^64 or more bytes");
      size_ = *size;
    }
  }

  std::uint64_t size() const override { return size_; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    while (!out.empty()) {
      const Part& part = part_at(offset);
      const std::uint64_t within = offset - part.start;
      const std::uint64_t there = std::min<std::uint64_t>(out.size(), part.source->size() - within);
      part.source->read_at(within, out.first(static_cast<std::size_t>(there)));
      out = out.subspan(static_cast<std::size_t>(there));
      offset += there;
    }
  }

  std::optional<Buffer> map(std::uint64_t offset, std::uint64_t length) const override {
    check_range(offset, length);
    if (length == 0) return Buffer{};
    const Part& part = part_at(offset);
    const std::uint64_t within = offset - part.start;
    if (length > part.source->size() - within) return std::nullopt;
    return part.source->map(within, length);
  }

 private:
  struct Part {
    SourcePtr source;
    std::uint64_t start;
  };

  /// REQUIRES: offset < size_.
  const Part& part_at(std::uint64_t offset) const {
    return *std::prev(std::ranges::upper_bound(parts_, offset, {}, &Part::start));
  }

  std::vector<Part> parts_;
  std::uint64_t size_ = 0;
};

}  // namespace

SourcePtr join(const std::vector<Stretch>& stretches) { return std::make_shared<JoinedSource>(stretches); }

}  // namespace weighbridge::numpy
