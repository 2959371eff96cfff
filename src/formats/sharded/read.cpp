#include "formats/sharded/read.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/sharded/content.hpp"
#include "formats/sharded/index.hpp"

namespace weighbridge::sharded {
namespace {

SourcePtr open_shard(const std::string& name, const OpenOptions& options) {
  if (!options.folder) {
    throw Error(ErrorCode::Unsupported, "an index of shards without the folder that they are in");
  }
  if (SourcePtr source = options.folder->find(name, Links::Follow)) return source;
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("shard '{}' is not beside its index", printable(name)), name);
}

Checkpoint read_shard(const std::string& name, const OpenOptions& options) {
  const SourcePtr source = open_shard(name, options);
  OpenOptions alone = options;
  alone.folder = nullptr;  // a shard is a file by itself, and no index again
  try {
    return read_checkpoint(source, alone);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("shard '{}': {}", printable(name), error.what()), error.subject(),
                error.offset());
  }
}

/// What is no tensor, of all shards.
class ShardExtras final : public Extras {
 public:
  using Named = std::vector<std::pair<std::string, std::shared_ptr<const Extras>>>;

  explicit ShardExtras(Named parts) : parts_(std::move(parts)) {}

  std::uint64_t count() const override {
    std::uint64_t sum = 0;
    for (const auto& [name, part] : parts_) sum += part->count();
    return sum;
  }

  std::vector<ExtraItem> list(std::uint64_t most) const override {
    std::vector<ExtraItem> items;
    for (const auto& [name, part] : parts_) {
      for (ExtraItem& item : part->list(most - items.size())) {
        items.push_back({.path = fmt::format("{}: {}", name, item.path), .summary = std::move(item.summary)});
      }
    }
    return items;
  }

  /// {"version": 1, "shards": {file: sidecar, ...}}
  std::string to_json(const Limits& limits) const override {
    std::string out = "{\"version\":1,\"shards\":{";
    for (const auto& [name, part] : parts_) {
      if (out.back() != '{') out += ',';
      append_json_string(out, name);
      out += ':';
      out += part->to_json(limits);
      if (out.size() <= limits.sidecar_bytes) continue;
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("the sidecar would exceed its limit of {} bytes", limits.sidecar_bytes));
    }
    return out + "}}\n";
  }

 private:
  Named parts_;
};

class Merger {
 public:
  Merger(Index index, std::uint64_t index_bytes, const OpenOptions& options)
      : index_(std::move(index)), options_(options) {
    merged_.format = "sharded";
    merged_.source_bytes = index_bytes;
    merged_.shards = index_.files;
  }

  Checkpoint run() {
    for (std::uint32_t shard = 0; shard < index_.files.size(); ++shard) add(shard);
    check_complete();
    report_strays();
    if (!extras_.empty()) merged_.extras = std::make_shared<ShardExtras>(std::move(extras_));
    merged_.candidates.push_back({merged_.root, merged_.tensors.size()});
    return std::move(merged_);
  }

 private:
  void add(std::uint32_t shard) {
    const std::string& name = index_.files[shard];
    Checkpoint part = read_shard(name, options_);
    merged_.source_bytes += part.source_bytes;
    for (Finding& finding : part.findings) {
      finding.message = fmt::format("shard '{}': {}", printable(name), finding.message);
      merged_.findings.push_back(std::move(finding));
    }
    if (part.metadata) add_metadata(*part.metadata);
    if (part.extras && part.extras->count() > 0) extras_.emplace_back(name, part.extras);
    for (TensorEntry& tensor : part.tensors) add_tensor(std::move(tensor), shard);
    for (TensorEntry& tensor : part.optimizer) merged_.optimizer.push_back(std::move(tensor));
  }

  void add_metadata(const Metadata& metadata) {
    if (!merged_.metadata) merged_.metadata.emplace();
    merged_.metadata->insert(metadata.begin(), metadata.end());
  }

  void add_tensor(TensorEntry tensor, std::uint32_t shard) {
    tensor.shard = shard;
    const auto owner = index_.owner.find(tensor.spec.name);
    if (owner == index_.owner.end() || owner->second != shard) ++strays_[tensor.spec.name];
    const auto [known, fresh] = places_.emplace(tensor.spec.name, merged_.tensors.size());
    if (fresh) {
      merged_.tensors.push_back(std::move(tensor));
      return;
    }
    TensorEntry& before = merged_.tensors[known->second];
    if (!is_equal(before, tensor)) {
      throw Error(ErrorCode::NameCollision,
                  fmt::format("tensor '{}' is in '{}' and in '{}', with different content",
                              printable(tensor.spec.name), printable(index_.files[before.shard]),
                              printable(index_.files[shard])),
                  tensor.spec.name);
    }
    if (owner != index_.owner.end() && owner->second == shard) before = std::move(tensor);
  }

  /// A name that metadata gives as the alias of a tensor in that file counts as found.
  bool is_alias(const std::string& name) const {
    if (!merged_.metadata) return false;
    const auto alias = merged_.metadata->find(name);
    return alias != merged_.metadata->end() && places_.contains(alias->second);
  }

  void check_complete() const {
    for (const auto& [name, shard] : index_.owner) {
      const auto found = places_.find(name);
      if (found != places_.end() && merged_.tensors[found->second].shard == shard) continue;
      if (found == places_.end() && is_alias(name)) continue;
      throw Error(ErrorCode::MalformedCheckpoint,
                  fmt::format("tensor '{}' is not in '{}', where the index has it", printable(name),
                              printable(index_.files[shard])),
                  name);
    }
  }

  void report_strays() {
    if (strays_.empty()) return;
    merged_.findings.push_back(
        {.severity = Severity::Warning,
         .code = "UnmappedTensors",
         .message = fmt::format("{} tensors are in files where the index does not have them ('{}'{})",
                                strays_.size(), printable(strays_.begin()->first),
                                strays_.size() > 1 ? ", ..." : ""),
         .subject = strays_.begin()->first,
         .offset = std::nullopt});
  }

  Index index_;
  const OpenOptions& options_;
  Checkpoint merged_;
  ShardExtras::Named extras_;
  std::map<std::string, std::size_t> places_;    ///< Position of each tensor in `merged_`.
  std::map<std::string, std::uint64_t> strays_;  ///< Tensors in files where they should not be.
};

}  // namespace

Checkpoint read(SourcePtr index, const OpenOptions& options) {
  return Merger(parse_index(*index, options.limits), index->size(), options).run();
}

}  // namespace weighbridge::sharded
