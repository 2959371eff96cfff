// The numbered values of a pickle stream.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "formats/pickle/graph.hpp"

namespace weighbridge::pickle {

/// Memory grows with the number of puts, never with the numbers that a stream chooses.
class Memo {
 public:
  void put(std::uint64_t index, NodeId node);
  /// kNoNode when nothing was put there.
  [[nodiscard]] NodeId find(std::uint64_t index) const;
  /// How many numbers are taken: the number that MEMOIZE gives next.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

 private:
  std::vector<NodeId> dense_;  // Writers count upwards from 0 or 1.
  std::map<std::uint64_t, NodeId> sparse_;
  std::uint64_t size_ = 0;
};

}  // namespace weighbridge::pickle
