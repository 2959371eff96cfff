#include "cli/filter.hpp"

#include <algorithm>

#include <weighbridge/text.hpp>

namespace weighbridge::cli {
namespace {

bool matches(const std::string& name, const std::vector<std::string>& globs) {
  return globs.empty() ||
         std::ranges::any_of(globs, [&name](const std::string& glob) { return matches_glob(name, glob); });
}

}  // namespace

std::vector<const TensorEntry*> filter_tensors(const Checkpoint& checkpoint,
                                               const std::vector<std::string>& globs) {
  std::vector<const TensorEntry*> chosen;
  for (const TensorEntry& entry : checkpoint.tensors) {
    if (matches(entry.spec.name, globs)) chosen.push_back(&entry);
  }
  return chosen;
}

}  // namespace weighbridge::cli
