#include "formats/pickle/memo.hpp"

namespace weighbridge::pickle {
namespace {

constexpr std::uint64_t kSlack = 64;

}  // namespace

void Memo::put(std::uint64_t index, NodeId node) {
  if (index < 2 * size_ + kSlack) {
    if (index >= dense_.size()) dense_.resize(index + 1, kNoNode);
    const bool known = dense_[index] != kNoNode || sparse_.erase(index) > 0;
    dense_[index] = node;
    size_ += known ? 0 : 1;
    return;
  }
  size_ += sparse_.insert_or_assign(index, node).second ? 1 : 0;
}

NodeId Memo::find(std::uint64_t index) const {
  if (index < dense_.size() && dense_[index] != kNoNode) return dense_[index];
  const auto found = sparse_.find(index);
  return found == sparse_.end() ? kNoNode : found->second;
}

}  // namespace weighbridge::pickle
