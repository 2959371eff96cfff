// Which bytes of a range have been claimed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace weighbridge::io {

/// Disjoint ranges that grow together where they meet. One thread at a time.
class Coverage {
 public:
  /// Claims [begin, end); false, and no change, when some of it is claimed already.
  bool claim(std::uint64_t begin, std::uint64_t end);

  /// The first byte below `end` that is not claimed.
  [[nodiscard]] std::optional<std::uint64_t> first_gap(std::uint64_t end) const;

  /// The first claimed byte from `begin` on, or `end` when there is none before that.
  [[nodiscard]] std::uint64_t next_claimed(std::uint64_t begin, std::uint64_t end) const;

  [[nodiscard]] std::uint64_t claimed_bytes() const noexcept { return bytes_; }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // begin to end; neighbours never touch
  std::uint64_t bytes_ = 0;
};

}  // namespace weighbridge::io
