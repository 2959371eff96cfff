#include <map>
#include <string>
#include <utility>

#include <weighbridge/convert.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "convert/aliases.hpp"

namespace weighbridge {
namespace {

class Merger {
 public:
  void add(MergePart part) {
    expand_aliases(part.checkpoint);
    for (auto* tensors : {&part.checkpoint.tensors, &part.checkpoint.optimizer}) {
      for (TensorEntry& entry : *tensors) add_tensor(std::move(entry), part);
    }
    add_metadata(part);
    for (Finding& finding : part.checkpoint.findings) {
      finding.message = fmt::format("{}: {}", printable(part.file), finding.message);
      result_.findings.push_back(std::move(finding));
    }
    if (part.checkpoint.extras != nullptr && part.checkpoint.extras->count() > 0) {
      report(Severity::Warning, "ValuesNotMerged",
             fmt::format("{}: what is no tensor is not merged", printable(part.file)));
    }
    if (!result_.format.empty()) result_.format += " + ";
    result_.format += part.checkpoint.format;
    result_.source_bytes += part.checkpoint.source_bytes;
  }

  Checkpoint finish() { return std::move(result_); }

 private:
  void add_tensor(TensorEntry entry, const MergePart& part) {
    entry.spec.name = part.prefix + entry.spec.name;
    entry.shard = 0;
    const auto [other, is_new] = file_of_.emplace(entry.spec.name, part.file);
    if (!is_new) {
      throw Error(ErrorCode::NameCollision,
                  fmt::format("'{}' is a tensor of '{}' and of '{}'; a prefix tells them apart (--prefix)",
                              printable(entry.spec.name), printable(other->second), printable(part.file)),
                  entry.spec.name);
    }
    result_.tensors.push_back(std::move(entry));
  }

  void add_metadata(const MergePart& part) {
    if (!part.checkpoint.metadata) return;
    if (!result_.metadata) result_.metadata.emplace();
    for (const auto& [key, value] : *part.checkpoint.metadata) {
      if (result_.metadata->emplace(key, value).first->second == value) continue;
      report(Severity::Warning, "MetadataConflict",
             fmt::format("{}: metadata '{}' is not kept, a file before it has another value",
                         printable(part.file), printable(key)));
    }
  }

  void report(Severity severity, std::string code, std::string message) {
    result_.findings.push_back({.severity = severity,
                                .code = std::move(code),
                                .message = std::move(message),
                                .subject = {},
                                .offset = std::nullopt});
  }

  Checkpoint result_;
  std::map<std::string, std::string> file_of_;
};

}  // namespace

Checkpoint merge_checkpoints(std::vector<MergePart> parts) {
  Merger merger;
  for (MergePart& part : parts) merger.add(std::move(part));
  return merger.finish();
}

}  // namespace weighbridge
