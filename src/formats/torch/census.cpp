#include "formats/torch/census.hpp"

#include <algorithm>

#include "formats/torch/arrays.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/parts.hpp"
#include "formats/torch/rebuild.hpp"

namespace weighbridge::torch {
namespace {

enum class Visit : std::uint8_t { None, Open, Done };

struct Task {
  NodeId node;
  bool leaving;
};

std::uint32_t sum_of(const Document& document, const std::vector<std::uint32_t>& counts, NodeId node) {
  std::uint64_t sum = 0;
  for (const Part& part : tensor_parts(document, node)) sum += counts[part.value];
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, UINT32_MAX));
}

}  // namespace

Census::Census(const Document& document, Counted counted) : counts_(document.graph.size(), 0) {
  if (document.root == kNoNode) return;
  std::vector<Visit> visits(document.graph.size(), Visit::None);
  std::vector<Task> tasks = {{document.root, false}};
  while (!tasks.empty()) {
    const auto [node, leaving] = tasks.back();
    tasks.pop_back();
    if (leaving) {
      counts_[node] = sum_of(document, counts_, node);
      visits[node] = Visit::Done;
      continue;
    }
    if (visits[node] != Visit::None) continue;
    visits[node] = Visit::Open;
    if (is_tensor(document, node)) {
      counts_[node] = counted == Counted::Tensors && is_array_tensor(document, node) ? 0 : 1;
      continue;
    }
    tasks.push_back({node, true});
    for (const Part& part : tensor_parts(document, node)) tasks.push_back({part.value, false});
  }
}

}  // namespace weighbridge::torch
