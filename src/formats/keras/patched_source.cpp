#include "formats/keras/patched_source.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weighbridge::keras {
namespace {

std::uint64_t width_of(Transform transform) {
  switch (transform) {
    case Transform::Swap2:
      return 2;
    case Transform::Swap4:
      return 4;
    case Transform::Swap8:
      return 8;
    default:
      return 1;
  }
}

class PatchedSource final : public ByteSource {
 public:
  explicit PatchedSource(std::vector<CopyStep> steps) : steps_(std::move(steps)) {}

  std::uint64_t size() const override {
    return steps_.empty() ? 0 : steps_.back().destination + steps_.back().runs.total_bytes;
  }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    while (!out.empty()) {
      const CopyStep& step = step_at(offset);
      const std::uint64_t within = offset - step.destination;
      const auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), step.runs.total_bytes - within));
      read_part(step, within, out.first(count));
      out = out.subspan(count);
      offset += count;
    }
  }

 private:
  /// REQUIRES: offset < size().
  [[nodiscard]] const CopyStep& step_at(std::uint64_t offset) const {
    return *std::prev(std::ranges::upper_bound(steps_, offset, {}, &CopyStep::destination));
  }

  /// Elements are turned around whole: those at the ends may be wanted in part.
  static void read_part(const CopyStep& step, std::uint64_t from, std::span<std::byte> out) {
    const std::uint64_t width = width_of(step.transform);
    const std::uint64_t begin = from - from % width;
    const std::uint64_t end = (from + out.size() + width - 1) / width * width;
    if (begin == from && end == from + out.size()) {
      read_runs(*step.source, step.runs, step.transform, from, out);
      return;
    }
    std::vector<std::byte> whole(end - begin);
    read_runs(*step.source, step.runs, step.transform, begin, whole);
    std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(from - begin), out.size(), out.begin());
  }

  std::vector<CopyStep> steps_;
};

}  // namespace

SourcePtr patched_source(std::vector<CopyStep> steps) {
  return std::make_shared<PatchedSource>(std::move(steps));
}

}  // namespace weighbridge::keras
