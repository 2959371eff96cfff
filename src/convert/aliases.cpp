#include "convert/aliases.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weighbridge {
namespace {

/// The aliases of each kept tensor. What names no tensor is ordinary metadata.
std::map<std::string, std::vector<std::string>> take_aliases(Checkpoint& checkpoint) {
  std::map<std::string, std::vector<std::string>> aliases;
  std::set<std::string_view> names;
  for (const TensorEntry& entry : checkpoint.tensors) names.insert(entry.spec.name);
  for (auto item = checkpoint.metadata->begin(); item != checkpoint.metadata->end();) {
    const bool is_alias = !names.contains(item->first) && names.contains(item->second);
    if (is_alias) aliases[item->second].push_back(item->first);
    item = is_alias ? checkpoint.metadata->erase(item) : std::next(item);
  }
  return aliases;
}

}  // namespace

std::size_t expand_aliases(Checkpoint& checkpoint) {
  if (!checkpoint.metadata) return 0;
  const auto aliases = take_aliases(checkpoint);
  if (aliases.empty()) return 0;
  const std::size_t before = checkpoint.tensors.size();
  std::vector<TensorEntry> all;
  for (TensorEntry& entry : checkpoint.tensors) {
    all.push_back(std::move(entry));
    const auto found = aliases.find(all.back().spec.name);
    if (found == aliases.end()) continue;
    const TensorEntry kept = all.back();
    for (const std::string& alias : found->second) {
      all.push_back(kept);
      all.back().spec.name = alias;
    }
  }
  checkpoint.tensors = std::move(all);
  return checkpoint.tensors.size() - before;
}

}  // namespace weighbridge
