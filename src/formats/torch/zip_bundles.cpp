#include "formats/torch/zip_bundles.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/bundle.hpp"
#include "formats/torch/assemble.hpp"
#include "formats/torch/report.hpp"
#include "formats/torch/zip_document.hpp"
#include "formats/within.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::string_view kInternal = ".data/";
constexpr std::string_view kScripts = ".data/ts_code/";

/// A pickle of a package and what its tensors' names begin with.
struct Resource {
  std::string file;
  std::string prefix_of;  ///< The file from which the prefix is made.
};

std::vector<Resource> find_resources(const zip::Archive& archive, const std::string& root) {
  std::vector<Resource> resources;
  for (const zip::Entry& entry : archive.entries()) {
    std::string file = entry.name.substr(root.size());
    if (!file.ends_with(".pkl")) continue;
    if (!file.starts_with(kInternal)) {
      resources.push_back({file, file});
    } else if (file.starts_with(kScripts) && file.ends_with("/data.pkl")) {
      const std::string folder = file.substr(0, file.find_last_of('/'));
      resources.push_back({file, folder.substr(kInternal.size())});
    }
  }
  return resources;
}

Checkpoint read_resource(ZipRecords& records, const std::string& file, const OpenOptions& options) {
  Findings findings;
  try {
    Document document = records.parse(
        {.pickle = file, .storages = std::string(kInternal), .style = IdStyle::Package}, findings);
    return assemble(std::move(document), "torch-package", findings, options);
  } catch (const Error& error) {
    throw with_danger(error, findings);
  }
}

/// 'policy.optimizer' for 'policy.optimizer.pth'.
BundleMember policy_member(const zip::Archive& archive, const zip::Entry& entry) {
  constexpr std::string_view kExtension = ".pth";
  const bool model = entry.name == "policy.pth";
  return {.file = entry.name,
          .prefix = entry.name.substr(0, entry.name.size() - kExtension.size()),
          .role = model ? BundleRole::Main : BundleRole::Optimizer,
          .read = [&archive, &entry](const OpenOptions& options) {
            return read_within("stable-baselines3", archive.open(entry), options);
          }};
}

}  // namespace

Checkpoint read_package(const zip::Archive& archive, const ZipLayout& layout, const OpenOptions& options) {
  ZipRecords records(archive, layout.root, options.limits);
  Findings findings;
  records.check_version(".data/version", findings);
  const std::vector<Resource> resources = find_resources(archive, layout.root);
  std::vector<std::string> files;
  files.reserve(resources.size());
  for (const Resource& resource : resources) files.push_back(resource.prefix_of);
  const std::vector<std::string> prefixes = bundle_prefixes(files);
  std::vector<BundleMember> members;
  members.reserve(resources.size());
  for (std::size_t i = 0; i < resources.size(); ++i) {
    members.push_back({.file = resources[i].file,
                       .prefix = prefixes[i],
                       .role = BundleRole::Main,
                       .read = [&records, file = resources[i].file](const OpenOptions& inner) {
                         return read_resource(records, file, inner);
                       }});
  }
  if (members.empty()) throw Error(ErrorCode::NoTensors, "a torch.package without a pickled resource");
  Checkpoint checkpoint = read_bundle(members, options);
  checkpoint.findings.insert(checkpoint.findings.begin(), findings.begin(), findings.end());
  return checkpoint;
}

Checkpoint read_policies(const zip::Archive& archive, const OpenOptions& options) {
  std::vector<BundleMember> members;
  std::vector<std::string> others;
  for (const zip::Entry& entry : archive.entries()) {
    if (entry.name.ends_with(".pth")) {
      members.push_back(policy_member(archive, entry));
    } else {
      others.push_back(entry.name);
    }
  }
  if (archive.find("policy.pth") == nullptr) {
    for (BundleMember& member : members) member.role = BundleRole::Main;
  }
  Checkpoint checkpoint = read_bundle(members, options);
  if (!others.empty()) checkpoint.findings.push_back(members_not_read(others));
  return checkpoint;
}

}  // namespace weighbridge::torch
