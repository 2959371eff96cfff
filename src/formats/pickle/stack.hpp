// The value stack of the machine and its marks.
//
// As in CPython's unpickler, a mark is a fence: nothing below the last mark can be popped. The one
// opcode that may remove a mark by accident is POP; drop() does the same.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "formats/pickle/graph.hpp"

namespace weighbridge::pickle {

/// Every function throws Fault where CPython would report an underflow or a missing mark.
class Stack {
 public:
  void push(NodeId node) { values_.push_back(node); }
  NodeId pop();
  [[nodiscard]] NodeId top() const;

  void mark() { marks_.push_back(values_.size()); }
  /// Removes the top value, or the last mark when no value lies above it.
  void drop();

  /// The values above the last mark; valid until the stack changes.
  [[nodiscard]] std::span<const NodeId> above_mark() const;
  /// Removes the last mark and all above it.
  void drop_to_mark();
  /// The top `count` values, lowest first; valid until the stack changes.
  [[nodiscard]] std::span<const NodeId> top_values(std::size_t count) const;
  /// Removes `count` values. REQUIRES: top_values(count) was given.
  void drop_values(std::size_t count) { values_.resize(values_.size() - count); }

 private:
  [[nodiscard]] std::size_t fence() const noexcept { return marks_.empty() ? 0 : marks_.back(); }

  std::vector<NodeId> values_;
  std::vector<std::size_t> marks_;
};

}  // namespace weighbridge::pickle
