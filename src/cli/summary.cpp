#include "cli/summary.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <weighbridge/text.hpp>

namespace weighbridge::cli {
namespace {

void add_capped(std::uint64_t& sum, std::uint64_t value) {
  if (__builtin_add_overflow(sum, value, &sum)) sum = UINT64_MAX;
}

void count_tensor(DTypeTotal& total, const TensorSpec& spec) {
  ++total.tensors;
  add_capped(total.parameters, element_count(spec.shape));
  add_capped(total.bytes, byte_size(spec.dtype, spec.shape));
}

Totals sum_up(const std::array<DTypeTotal, kDTypeCount>& by_dtype) {
  Totals totals;
  for (const DTypeTotal& total : by_dtype) {
    if (total.tensors == 0) continue;
    totals.dtypes.push_back(total);
    totals.tensors += total.tensors;
    add_capped(totals.parameters, total.parameters);
    add_capped(totals.bytes, total.bytes);
  }
  const auto most_bytes_first = [](const DTypeTotal& total) { return std::pair(~total.bytes, total.dtype); };
  std::ranges::sort(totals.dtypes, {}, most_bytes_first);
  return totals;
}

}  // namespace

Totals count_totals(const std::vector<const TensorEntry*>& tensors) {
  std::array<DTypeTotal, kDTypeCount> by_dtype;
  for (std::size_t i = 0; i < kDTypeCount; ++i) by_dtype.at(i).dtype = static_cast<DType>(i);
  for (const TensorEntry* tensor : tensors) {
    count_tensor(by_dtype.at(static_cast<std::size_t>(tensor->spec.dtype)), tensor->spec);
  }
  return sum_up(by_dtype);
}

Totals count_totals(const Checkpoint& checkpoint) {
  std::vector<const TensorEntry*> tensors;
  tensors.reserve(checkpoint.tensors.size());
  for (const TensorEntry& entry : checkpoint.tensors) tensors.push_back(&entry);
  return count_totals(tensors);
}

std::vector<TiedName> tied_names(const Checkpoint& checkpoint) {
  std::vector<TiedName> tied;
  if (!checkpoint.metadata) return tied;
  std::unordered_set<std::string_view> names;
  for (const TensorEntry& entry : checkpoint.tensors) names.insert(entry.spec.name);
  for (const auto& [key, value] : *checkpoint.metadata) {
    if (names.contains(value) && !names.contains(key)) tied.push_back({key, value});
  }
  return tied;
}

}  // namespace weighbridge::cli
