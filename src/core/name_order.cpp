#include "core/name_order.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <memory_resource>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "base/endian.hpp"

namespace weighbridge {
namespace {

constexpr std::size_t kFront = sizeof(std::uint64_t);

// So few names are compared as they are.
constexpr std::size_t kFew = 12;

/// What is compared of a name at a depth: numbers, not text all over the memory.
struct Key {
  std::uint64_t front = 0;  ///< The next characters; NUL behind the end.
  std::uint32_t rest = 0;  ///< How many characters follow from the depth on; more than kFront are kFront + 1.

  Key() = default;
  explicit Key(std::string_view rest_of_name) noexcept
      : front(front_of(rest_of_name)),
        rest(static_cast<std::uint32_t>(std::min(rest_of_name.size(), kFront + 1))) {}

  [[nodiscard]] bool ends_here() const noexcept { return rest <= kFront; }
  friend auto operator<=>(const Key&, const Key&) = default;

 private:
  static std::uint64_t front_of(std::string_view text) noexcept {
    if (text.size() >= kFront) return load_be<std::uint64_t>(text.data());
    std::array<char, kFront> padded{};
    std::ranges::copy(text, padded.begin());
    return load_be<std::uint64_t>(padded.data());
  }
};

/// Names, side by side in the order so far.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
};

/// Neighbours of one key.
struct Run {
  Key key;
  Range range;
};

/// Names that agree in their first `depth` characters.
struct Group {
  Range range;
  std::size_t depth = 0;
};

// From group to smaller group. Names mostly come beside those that begin alike, so that whole runs of them
// are moved at once, or need not be moved at all.
// `name_of(position)` gives the names.
template <typename NameOf>
class NameSorter {
 public:
  NameSorter(std::size_t count, NameOf name_of, std::pmr::memory_resource& memory)
      : name_of_(std::move(name_of)),
        memory_(2 * count, &memory),
        order_(memory_.data(), count),
        scratch_(memory_.data() + count, count) {
    std::iota(order_.begin(), order_.end(), 0U);
  }

  NameOrder sort() {
    groups_ = {{.range = {0, order_.size()}, .depth = 0}};
    std::optional<std::uint32_t> twice;
    while (!groups_.empty() && !twice) {
      const Group group = groups_.back();
      groups_.pop_back();
      twice = group.range.size() <= kFew ? sort_names(group) : sort_runs(group);
    }
    memory_.resize(order_.size());
    return {.positions = std::move(memory_), .twice = twice};
  }

 private:
  [[nodiscard]] std::string_view rest_of(std::size_t place, std::size_t depth) const {
    return name_of_(order_[place]).substr(depth);
  }

  /// Both give a name that comes twice.
  std::optional<std::uint32_t> sort_names(const Group& group) {
    const auto rest = [&](std::uint32_t position) { return name_of_(position).substr(group.depth); };
    const auto order = order_.subspan(group.range.begin, group.range.size());
    std::ranges::sort(order, {}, rest);
    const auto twice = std::ranges::adjacent_find(order, {}, rest);
    if (twice == order.end()) return std::nullopt;
    return *twice;
  }

  std::optional<std::uint32_t> sort_runs(const Group& group) {
    find_runs(group);
    if (!std::ranges::is_sorted(runs_, {}, &Run::key)) {
      std::ranges::sort(runs_, {}, &Run::key);
      move_runs(group.range);
    }
    return find_groups(group.depth + kFront);
  }

  void find_runs(const Group& group) {
    runs_.clear();
    for (std::size_t place = group.range.begin; place < group.range.end; ++place) {
      const Key key(rest_of(place, group.depth));
      if (runs_.empty() || runs_.back().key != key) runs_.push_back({key, {place, place}});
      ++runs_.back().range.end;
    }
  }

  /// Brings the names of a range in the order of the runs.
  void move_runs(Range range) {
    std::size_t place = range.begin;
    for (Run& run : runs_) {
      std::copy_n(order_.begin() + static_cast<std::ptrdiff_t>(run.range.begin), run.range.size(),
                  scratch_.begin() + static_cast<std::ptrdiff_t>(place));
      run.range = {place, place + run.range.size()};
      place = run.range.end;
    }
    std::copy_n(scratch_.begin() + static_cast<std::ptrdiff_t>(range.begin), range.size(),
                order_.begin() + static_cast<std::ptrdiff_t>(range.begin));
  }

  /// Adds what the keys left undecided to the groups; gives a name that comes twice.
  std::optional<std::uint32_t> find_groups(std::size_t depth) {
    for (auto run = runs_.begin(); run != runs_.end();) {
      const Key key = run->key;
      Range range = run->range;
      for (++run; run != runs_.end() && run->key == key; ++run) range.end = run->range.end;
      if (range.size() == 1) continue;
      if (key.ends_here()) return order_[range.begin];
      groups_.push_back({.range = range, .depth = depth});
    }
    return std::nullopt;
  }

  NameOf name_of_;
  std::pmr::vector<std::uint32_t> memory_;  // in one block, which large pages hold better than two
  std::span<std::uint32_t> order_;
  std::span<std::uint32_t> scratch_;
  std::vector<Run> runs_;
  std::vector<Group> groups_;
};

}  // namespace

NameOrder order_names(std::span<const std::string_view> names) {
  const auto name_of = [names](std::uint32_t i) { return names[i]; };
  return NameSorter(names.size(), name_of, *std::pmr::get_default_resource()).sort();
}

NameOrder order_names(const Header::Data& data) {
  const auto name_of = [&data](std::uint32_t i) { return data.name(i); };
  return NameSorter(data.tensors.size(), name_of, *data.tensors.get_allocator().resource()).sort();
}

}  // namespace weighbridge
