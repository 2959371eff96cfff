#include "formats/torch/taken.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/notes.hpp"
#include "formats/torch/open.hpp"
#include "formats/torch/rebuild.hpp"

namespace weighbridge::torch {
namespace {

/// Tensors of the output, and for each the position of the tensor of the file that it was made from.
struct Rebuilt {
  std::vector<TensorEntry> entries;
  std::vector<std::size_t> origins;
};

Rebuilt rebuild_all(const Document& document, const std::vector<NamedTensor>& named,
                    const OpenOptions& options) {
  Rebuilt rebuilt;
  rebuilt.entries.reserve(named.size());
  rebuilt.origins.reserve(named.size());
  for (std::size_t i = 0; i < named.size(); ++i) {
    for (TensorEntry& entry : rebuild_tensors(document, named[i].node, named[i].name, options)) {
      if (rebuilt.entries.size() >= options.limits.tensors) {
        throw Error(ErrorCode::LimitExceeded, fmt::format("more than {} tensors", options.limits.tensors));
      }
      rebuilt.entries.push_back(std::move(entry));
      rebuilt.origins.push_back(i);
    }
  }
  return rebuilt;
}

std::string origin_text(const Rebuilt& rebuilt, const std::vector<NamedTensor>& named, std::size_t entry) {
  const std::string& from = named[rebuilt.origins[entry]].name;
  const bool whole = from == rebuilt.entries[entry].spec.name;
  return fmt::format("{}'{}'", whole ? "" : "a part of ", printable(from));
}

/// A part of one tensor may have the name of another tensor. By sorting, so that no choice of names
/// makes it slow.
void check_names(const Rebuilt& rebuilt, const std::vector<NamedTensor>& named) {
  std::vector<std::size_t> order(rebuilt.entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto name_of = [&](std::size_t i) -> const std::string& { return rebuilt.entries[i].spec.name; };
  std::ranges::sort(order, {}, name_of);
  const auto same = std::ranges::adjacent_find(order, {}, name_of);
  if (same == order.end()) return;
  throw Error(ErrorCode::NameCollision,
              fmt::format("two tensors would be named '{}': {} and {}", printable(name_of(*same)),
                          origin_text(rebuilt, named, std::min(same[0], same[1])),
                          origin_text(rebuilt, named, std::max(same[0], same[1]))),
              name_of(*same));
}

}  // namespace

Taken take_tensors(const Document& document, const std::vector<NamedTensor>& named,
                   const OpenOptions& options, Findings& findings) {
  OpenedTensors tensors = open_tensors(document, named, options);
  leave_out_meta(document, tensors.leaves, options, findings);
  report_tensors(document, tensors.leaves, options.limits, findings);
  Rebuilt rebuilt = rebuild_all(document, tensors.leaves, options);
  check_names(rebuilt, tensors.leaves);
  Taken taken{.entries = std::move(rebuilt.entries), .origins = std::move(tensors.leaves)};
  taken.origins.insert(taken.origins.end(), tensors.opened.begin(), tensors.opened.end());
  return taken;
}

}  // namespace weighbridge::torch
