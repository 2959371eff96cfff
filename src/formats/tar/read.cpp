#include "formats/tar/read.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "formats/bundle.hpp"
#include "formats/tar/archive.hpp"
#include "formats/torch/read.hpp"
#include "formats/within.hpp"

namespace weighbridge::tar {
namespace {

/// Any text may start like a pickle of protocol 0, so that only later protocols count.
bool is_checkpoint(const ByteSource& source) {
  const auto format = find_format(source);
  if (format != "pickle") return format.has_value();
  std::array<std::byte, 1> first{};
  source.read_at(0, first);
  return first[0] == std::byte{0x80};
}

/// The members that are checkpoints, and the rest.
struct Sorted {
  std::vector<const Member*> checkpoints;
  std::vector<std::string> others;
};

Sorted sort_members(const SourcePtr& source, const std::vector<Member>& members) {
  Sorted sorted;
  for (const Member& member : members) {
    const SourcePtr content = sub_source(source, member.offset, member.bytes);
    if (is_checkpoint(*content)) {
      sorted.checkpoints.push_back(&member);
    } else {
      sorted.others.push_back(member.name);
    }
  }
  return sorted;
}

std::vector<BundleMember> make_bundle(const SourcePtr& source, const std::vector<const Member*>& members) {
  std::vector<std::string> names;
  names.reserve(members.size());
  for (const Member* member : members) names.push_back(member->name);
  const std::vector<std::string> prefixes = bundle_prefixes(names);
  std::vector<BundleMember> bundle;
  for (std::size_t i = 0; i < members.size(); ++i) {
    SourcePtr content = sub_source(source, members[i]->offset, members[i]->bytes);
    bundle.push_back({.file = names[i],
                      .prefix = prefixes[i],
                      .role = BundleRole::Main,
                      .read = [content = std::move(content)](const OpenOptions& options) {
                        return read_within("tar", content, options);
                      }});
  }
  return bundle;
}

}  // namespace

Checkpoint read(SourcePtr source, const OpenOptions& options) {
  const std::vector<Member> members = read_members(*source, options.limits);
  if (torch::is_torch_tar(members)) return torch::read_tar(std::move(source), members, options);
  const Sorted sorted = sort_members(source, members);
  if (sorted.checkpoints.empty()) {
    throw Error(ErrorCode::UnknownFormat, sorted.others.empty()
                                              ? "a tar archive without files"
                                              : fmt::format("a tar archive without a checkpoint; {}",
                                                            members_not_read(sorted.others).message));
  }
  Checkpoint checkpoint = read_bundle(make_bundle(source, sorted.checkpoints), options);
  if (!sorted.others.empty()) checkpoint.findings.push_back(members_not_read(sorted.others));
  return checkpoint;
}

}  // namespace weighbridge::tar
