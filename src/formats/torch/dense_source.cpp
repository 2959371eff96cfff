#include "formats/torch/dense_source.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

namespace weighbridge::torch {
namespace {

constexpr std::uint64_t kScratchBytes = 256 * 1024;

/// A stretch of one row of the result.
struct Segment {
  std::uint64_t row = 0;
  std::uint64_t begin = 0;  ///< In elements of the row.
  std::uint64_t end = 0;
  std::byte* out = nullptr;  ///< Where element `begin` goes.
};

/// What the first read finds out.
struct Loaded {
  std::vector<Slot> slots;
  std::vector<std::byte> values;  ///< All values, if they are held.
};

/// Whether the values are read from front to back. Blocks of several rows never are.
bool reads_forward(const std::vector<Slot>& slots, const DensePlan& plan) {
  return plan.block_rows == 1 && std::ranges::is_sorted(slots, {}, &Slot::entry);
}

/// Adds the blocks that reach into one segment. Values that follow each other are read together.
class SegmentFiller {
 public:
  SegmentFiller(const Content& values, const DensePlan& plan, const Loaded& loaded)
      : values_(values), plan_(plan), loaded_(loaded), element_(values.element_bytes()) {}

  void fill(const Segment& segment) {
    const std::uint64_t width = plan_.block_width;
    const std::uint64_t first_key = segment.row / plan_.block_rows * plan_.blocks_across;
    const std::uint64_t row_in_block = segment.row % plan_.block_rows;
    auto slot = std::ranges::lower_bound(loaded_.slots, first_key + segment.begin / width, {}, &Slot::key);
    for (; slot != loaded_.slots.end(); ++slot) {
      const std::uint64_t place = slot->key - first_key;
      if (place >= plan_.blocks_across || place * width >= segment.end) return;
      const std::uint64_t begin = std::max(place * width, segment.begin);
      const std::uint64_t end = std::min((place + 1) * width, segment.end);
      const std::uint64_t value = (slot->entry * plan_.block_rows + row_in_block) * width;
      add(value + begin - place * width, end - begin, segment.out + (begin - segment.begin) * element_);
    }
  }

 private:
  void add(std::uint64_t first, std::uint64_t count, std::byte* out) {
    while (count > 0) {
      const auto in = values_from(first, count);
      const std::uint64_t done = in.size() / element_;
      plan_.add != nullptr ? plan_.add({out, in.size()}, in) : void(std::ranges::copy(in, out));
      first += done;
      count -= done;
      out += in.size();
    }
  }

  /// At least one and at most `count` values.
  std::span<const std::byte> values_from(std::uint64_t first, std::uint64_t count) {
    if (!loaded_.values.empty()) return std::span(loaded_.values).subspan(first * element_, count * element_);
    if (first < window_first_ || first >= window_first_ + window_.size() / element_)
      read_window(first, count);
    const std::uint64_t skipped = first - window_first_;
    const std::uint64_t there = std::min(count, window_.size() / element_ - skipped);
    return std::span(window_).subspan(skipped * element_, there * element_);
  }

  /// Reads further ahead as long as that turns out to be useful.
  void read_window(std::uint64_t first, std::uint64_t count) {
    const bool follows = first == window_first_ + window_.size() / element_;
    ahead_ = follows ? std::min(ahead_ * 2, kScratchBytes / element_) : 1;
    const std::uint64_t wanted = std::clamp<std::uint64_t>(count, ahead_, kScratchBytes / element_);
    window_.resize(std::min(wanted, values_.elements() - first) * element_);
    values_.read(first, window_);
    window_first_ = first;
  }

  const Content& values_;
  const DensePlan& plan_;
  const Loaded& loaded_;
  std::uint64_t element_;
  std::vector<std::byte> window_;
  std::uint64_t window_first_ = 0;
  std::uint64_t ahead_ = 1;
};

class DenseSource final : public ComputedSource {
 public:
  DenseSource(Content values, DensePlan plan, std::uint64_t most_held_bytes)
      : ComputedSource(plan.bytes, values.element_bytes()),
        values_(std::move(values)),
        plan_(std::move(plan)),
        most_held_bytes_(most_held_bytes) {}

 private:
  void make(std::uint64_t first, std::span<std::byte> out) const override {
    const Loaded& loaded = get_loaded();
    std::ranges::fill(out, std::byte{0});
    SegmentFiller filler(values_, plan_, loaded);
    const std::uint64_t row_elements = plan_.blocks_across * plan_.block_width;
    const std::uint64_t end = first + out.size() / values_.element_bytes();
    for (std::uint64_t at = first; at < end;) {
      const std::uint64_t row = at / row_elements;
      const std::uint64_t column = at % row_elements;
      const std::uint64_t last = std::min(row_elements, column + (end - at));
      filler.fill({.row = row,
                   .begin = column,
                   .end = last,
                   .out = out.data() + (at - first) * values_.element_bytes()});
      at += last - column;
    }
  }

  const Loaded& get_loaded() const {
    const std::lock_guard lock(mutex_);
    if (!loaded_) loaded_ = load();
    return *loaded_;
  }

  Loaded load() const {
    Loaded loaded{.slots = plan_.load(), .values = {}};
    if (values_.random_access() || reads_forward(loaded.slots, plan_)) return loaded;
    const std::uint64_t bytes = values_.elements() * values_.element_bytes();
    if (bytes > most_held_bytes_) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("{} bytes of sparse values stand out of order in a compressed entry, the limit "
                              "is {}",
                              bytes, most_held_bytes_));
    }
    loaded.values = values_.read_all();
    return loaded;
  }

  Content values_;
  DensePlan plan_;
  std::uint64_t most_held_bytes_;
  mutable std::mutex mutex_;
  mutable std::optional<Loaded> loaded_;
};

}  // namespace

SourcePtr dense_source(Content values, DensePlan plan, std::uint64_t most_held_bytes) {
  return std::make_shared<DenseSource>(std::move(values), std::move(plan), most_held_bytes);
}

}  // namespace weighbridge::torch
