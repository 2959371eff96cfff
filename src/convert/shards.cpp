#include "convert/shards.hpp"

#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/sharded/content.hpp"

namespace weighbridge {
namespace {

using Files = std::vector<std::vector<std::size_t>>;

std::uint64_t bytes_of(const TensorEntry& entry) { return byte_size(entry.spec.dtype, entry.spec.shape); }

Files split_as_read(const Checkpoint& checkpoint) {
  std::map<std::uint32_t, std::vector<std::size_t>> files;
  for (std::size_t i = 0; i < checkpoint.tensors.size(); ++i) files[checkpoint.tensors[i].shard].push_back(i);
  Files result;
  for (auto& [shard, positions] : files) result.push_back(std::move(positions));
  return result;
}

Files split_by_size(const Checkpoint& checkpoint, std::uint64_t most) {
  Files files;
  std::vector<std::size_t> open;
  std::uint64_t filled = 0;
  for (std::size_t i = 0; i < checkpoint.tensors.size(); ++i) {
    const std::uint64_t bytes = bytes_of(checkpoint.tensors[i]);
    if (bytes > most) {
      files.push_back({i});
      continue;
    }
    if (bytes > most - filled) {
      files.push_back(std::move(open));
      open.clear();
      filled = 0;
    }
    open.push_back(i);
    filled += bytes;
  }
  if (!open.empty() || files.empty()) files.push_back(std::move(open));
  return files;
}

/// Tensors that may be equal.
using Likeness = std::tuple<DType, Shape, std::string>;
std::map<Likeness, std::vector<std::size_t>> group_alike(const std::vector<TensorEntry>& tensors) {
  std::map<std::pair<DType, Shape>, std::vector<std::size_t>> same_kind;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (bytes_of(tensors[i]) > 0) same_kind[{tensors[i].spec.dtype, tensors[i].spec.shape}].push_back(i);
  }
  std::map<Likeness, std::vector<std::size_t>> groups;
  for (const auto& [kind, members] : same_kind) {
    if (members.size() < 2) continue;
    for (const std::size_t i : members) {
      groups[{kind.first, kind.second, sharded::sample(tensors[i])}].push_back(i);
    }
  }
  return groups;
}

/// Of tensors that look alike those that equal the first and lie in other files.
std::vector<std::size_t> equal_to_first(const std::vector<TensorEntry>& tensors,
                                        const std::vector<std::size_t>& group) {
  std::vector<std::size_t> equal = {group.front()};
  std::set<std::uint32_t> files = {tensors[group.front()].shard};
  for (const std::size_t i : std::span(group).subspan(1)) {
    if (!sharded::is_equal(tensors[group.front()], tensors[i])) continue;
    equal.push_back(i);
    files.insert(tensors[i].shard);
  }
  if (files.size() < 2 || sharded::is_uniform(tensors[group.front()])) return {};
  return equal;
}

Finding equal_finding(const Checkpoint& checkpoint, const std::vector<std::size_t>& equal) {
  constexpr std::size_t kMostNamed = 8;
  std::string names;
  for (const std::size_t i : std::span(equal).first(std::min(equal.size(), kMostNamed))) {
    const TensorEntry& entry = checkpoint.tensors[i];
    names += fmt::format("{}'{}' in '{}'", names.empty() ? "" : ", ", printable(entry.spec.name),
                         printable(checkpoint.shards[entry.shard]));
  }
  if (equal.size() > kMostNamed) names += fmt::format(" and {} more", equal.size() - kMostNamed);
  return {.severity = Severity::Info,
          .code = "EqualTensors",
          .message = fmt::format("tensors of different files have the same bytes, and each keeps its own: {}",
                                 names),
          .subject = checkpoint.tensors[equal.front()].spec.name,
          .offset = std::nullopt};
}

}  // namespace

std::vector<std::vector<std::size_t>> split_tensors(const Checkpoint& checkpoint,
                                                    std::uint64_t max_shard_bytes) {
  return max_shard_bytes == 0 ? split_as_read(checkpoint) : split_by_size(checkpoint, max_shard_bytes);
}

Checkpoint select_tensors(const Checkpoint& checkpoint, const std::vector<std::size_t>& positions) {
  Checkpoint part;
  part.format = checkpoint.format;
  part.source_bytes = checkpoint.source_bytes;
  std::set<std::string_view> here;
  for (const std::size_t i : positions) {
    part.tensors.push_back(checkpoint.tensors[i]);
    here.insert(checkpoint.tensors[i].spec.name);
  }
  if (!checkpoint.metadata) return part;
  std::set<std::string_view> all;
  for (const TensorEntry& entry : checkpoint.tensors) all.insert(entry.spec.name);
  part.metadata.emplace();
  for (const auto& [key, value] : *checkpoint.metadata) {
    if (!all.contains(value) || here.contains(value)) part.metadata->emplace(key, value);
  }
  return part;
}

void report_equal_tensors(Checkpoint& checkpoint) {
  if (checkpoint.shards.size() < 2) return;
  Findings found;
  for (const auto& [likeness, group] : group_alike(checkpoint.tensors)) {
    if (group.size() < 2) continue;
    const auto equal = equal_to_first(checkpoint.tensors, group);
    if (!equal.empty()) found.push_back(equal_finding(checkpoint, equal));
  }
  checkpoint.findings.insert(checkpoint.findings.end(), found.begin(), found.end());
}

}  // namespace weighbridge
