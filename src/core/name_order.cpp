#include "core/name_order.hpp"

#include <algorithm>
#include <array>

#include "base/endian.hpp"

namespace weighbridge {
namespace {

constexpr std::size_t kFront = sizeof(std::uint64_t);

/// What is compared of a name at a depth: numbers that lie side by side, not text all over the memory.
struct Key {
  std::uint64_t front = 0;  ///< The next characters; NUL behind the end.
  std::uint32_t rest = 0;  ///< How many characters follow from the depth on; more than kFront are kFront + 1.
  std::uint32_t position = 0;  ///< Of the name.

  [[nodiscard]] bool ends_here() const noexcept { return rest <= kFront; }
  friend bool operator==(const Key& a, const Key& b) noexcept {
    return a.front == b.front && a.rest == b.rest;
  }
  friend bool operator<(const Key& a, const Key& b) noexcept {
    return a.front != b.front ? a.front < b.front : a.rest < b.rest;
  }
};

/// Names that agree in their first `depth` characters.
struct Group {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t depth = 0;
};

std::uint64_t front_of(std::string_view text) noexcept {
  if (text.size() >= kFront) return load_be<std::uint64_t>(text.data());
  std::array<char, kFront> padded{};
  std::ranges::copy(text, padded.begin());
  return load_be<std::uint64_t>(padded.data());
}

class NameSorter {
 public:
  explicit NameSorter(std::span<const std::string_view> names) : names_(names), keys_(names.size()) {
    for (std::uint32_t i = 0; i < keys_.size(); ++i) keys_[i].position = i;
  }

  NameOrder sort() {
    std::vector<Group> unsorted = {{.begin = 0, .end = keys_.size(), .depth = 0}};
    std::optional<std::uint32_t> twice;
    while (!unsorted.empty() && !twice) {
      Group group = unsorted.back();
      unsorted.pop_back();
      group.depth += common_length(group);
      sort_at_depth(group);
      twice = find_groups(group, unsorted);
    }
    NameOrder order{.positions = {}, .twice = twice};
    order.positions.reserve(keys_.size());
    for (const Key& key : keys_) order.positions.push_back(key.position);
    return order;
  }

 private:
  [[nodiscard]] std::string_view rest_of(const Key& key, std::size_t depth) const {
    return names_[key.position].substr(depth);
  }

  [[nodiscard]] std::size_t common_length(const Group& group) const {
    if (group.begin == group.end) return 0;
    std::string_view common = rest_of(keys_[group.begin], group.depth);
    for (std::size_t i = group.begin + 1; i < group.end && !common.empty(); ++i) {
      const std::string_view text = rest_of(keys_[i], group.depth);
      if (text.starts_with(common)) continue;
      const auto differs = std::ranges::mismatch(common, text).in1;
      common = common.substr(0, static_cast<std::size_t>(differs - common.begin()));
    }
    return common.size();
  }

  void sort_at_depth(const Group& group) {
    const auto keys = std::span(keys_).subspan(group.begin, group.end - group.begin);
    for (Key& key : keys) {
      const std::string_view text = rest_of(key, group.depth);
      key.front = front_of(text);
      key.rest = static_cast<std::uint32_t>(std::min(text.size(), kFront + 1));
    }
    std::sort(keys.begin(), keys.end());
  }

  /// Adds what the sort left undecided to `unsorted`; gives a name that comes twice.
  std::optional<std::uint32_t> find_groups(const Group& group, std::vector<Group>& unsorted) const {
    for (std::size_t begin = group.begin; begin < group.end;) {
      std::size_t end = begin + 1;
      while (end < group.end && keys_[end] == keys_[begin]) ++end;
      if (end - begin > 1) {
        if (keys_[begin].ends_here()) return keys_[begin].position;
        unsorted.push_back({.begin = begin, .end = end, .depth = group.depth + kFront});
      }
      begin = end;
    }
    return std::nullopt;
  }

  std::span<const std::string_view> names_;
  std::vector<Key> keys_;
};

}  // namespace

NameOrder order_names(std::span<const std::string_view> names) { return NameSorter(names).sort(); }

}  // namespace weighbridge
