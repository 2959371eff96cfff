#include "formats/pickle/stack.hpp"

#include <fmt/format.h>

#include "formats/pickle/fault.hpp"

namespace weighbridge::pickle {

NodeId Stack::pop() {
  const NodeId node = top();
  values_.pop_back();
  return node;
}

NodeId Stack::top() const { return top_values(1).front(); }

void Stack::drop() {
  if (!marks_.empty() && marks_.back() == values_.size()) {
    marks_.pop_back();
    return;
  }
  pop();
}

std::span<const NodeId> Stack::above_mark() const {
  if (marks_.empty()) malformed("needs a mark, there is none");
  return std::span(values_).subspan(marks_.back());
}

void Stack::drop_to_mark() {
  if (marks_.empty()) malformed("needs a mark, there is none");
  values_.resize(marks_.back());
  marks_.pop_back();
}

std::span<const NodeId> Stack::top_values(std::size_t count) const {
  const std::size_t available = values_.size() - fence();
  if (available < count) malformed(fmt::format("needs {} values on the stack, found {}", count, available));
  return std::span(values_).last(count);
}

}  // namespace weighbridge::pickle
