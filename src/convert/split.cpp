#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <weighbridge/convert.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "convert/aliases.hpp"

namespace weighbridge {
namespace {

constexpr std::size_t kMostFiles = 1000;

/// The first `depth` parts of a name between dots, but never all of it.
std::string_view group_of(std::string_view name, std::size_t depth) {
  std::size_t end = 0;
  for (std::size_t part = 0; part < depth; ++part) {
    const std::size_t dot = name.find('.', part == 0 ? 0 : end + 1);
    if (dot == std::string_view::npos) break;
    end = dot;
  }
  return name.substr(0, end);
}

struct Group {
  std::string prefix;
  Checkpoint checkpoint;
};

/// In the order of each group's first tensor.
std::vector<Group> group_tensors(const Checkpoint& checkpoint, std::size_t depth, bool strip) {
  std::vector<Group> groups;
  std::map<std::string_view, std::size_t> places;
  for (const TensorEntry& entry : checkpoint.tensors) {
    const std::string_view prefix = group_of(entry.spec.name, depth);
    const auto [place, is_new] = places.emplace(prefix, groups.size());
    if (is_new) {
      if (groups.size() == kMostFiles) {
        throw Error(ErrorCode::LimitExceeded,
                    fmt::format("the tensors would go into more than {} files", kMostFiles));
      }
      groups.push_back({.prefix = std::string(prefix), .checkpoint = {}});
    }
    Checkpoint& part = groups[place->second].checkpoint;
    part.tensors.push_back(entry);
    part.tensors.back().shard = 0;
    if (strip && !prefix.empty()) part.tensors.back().spec.name.erase(0, prefix.size() + 1);
  }
  return groups;
}

/// model.safetensors and "encoder": model.encoder.safetensors.
std::string file_name(const std::string& output, const std::string& prefix) {
  std::string part = prefix.empty() ? "rest" : prefix;
  std::ranges::replace_if(part, [](char c) { return c == '/' || c == '\\' || c == '\0'; }, '_');
  const std::size_t dot = output.find_last_of('.');
  std::string name = dot == std::string::npos || dot == 0
                         ? fmt::format("{}.{}", output, part)
                         : fmt::format("{}.{}{}", output.substr(0, dot), part, output.substr(dot));
  if (is_plain_file_name(name)) return name;
  throw Error(ErrorCode::InvalidArgument, fmt::format("'{}' cannot be the name of a file", printable(name)));
}

void append(Conversion& all, Conversion part) {
  for (OutputFile& file : part.files) {
    const bool taken = std::ranges::find(all.files, file.name, &OutputFile::name) != all.files.end();
    if (taken) {
      throw Error(ErrorCode::NameCollision,
                  fmt::format("two files would be called '{}'", printable(file.name)), file.name);
    }
    all.files.push_back(std::move(file));
  }
  std::ranges::move(part.checkpoint.tensors, std::back_inserter(all.checkpoint.tensors));
  for (Finding& finding : part.checkpoint.findings) {
    const bool known = std::ranges::any_of(all.checkpoint.findings, [&](const Finding& other) {
      return other.code == finding.code && other.message == finding.message;
    });
    if (!known) all.checkpoint.findings.push_back(std::move(finding));
  }
}

}  // namespace

Conversion plan_split(const Checkpoint& checkpoint, const std::string& output, std::size_t depth, bool strip,
                      const ConvertOptions& options) {
  if (depth == 0) throw Error(ErrorCode::InvalidArgument, "names are grouped by at least one of their parts");
  if (!options.allow_dangerous) refuse_dangerous(checkpoint.findings);
  Checkpoint whole = apply_passes(checkpoint, options.passes);
  expand_aliases(whole);
  ConvertOptions plain = options;
  plain.passes = {};
  Conversion conversion;
  conversion.checkpoint.format = whole.format;
  conversion.checkpoint.source_bytes = whole.source_bytes;
  conversion.checkpoint.findings = whole.findings;
  for (Group& group : group_tensors(whole, depth, strip)) {
    group.checkpoint.format = whole.format;
    group.checkpoint.metadata = whole.metadata;
    group.checkpoint.source_bytes = whole.source_bytes;
    append(conversion, plan_checkpoint(std::move(group.checkpoint), file_name(output, group.prefix), plain));
  }
  if (conversion.files.empty()) throw Error(ErrorCode::NoTensors, "no tensors to split");
  return conversion;
}

}  // namespace weighbridge
