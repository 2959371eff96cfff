#include "convert/outputs.hpp"

#include <utility>

#include "convert/shards.hpp"
#include "formats/sharded/index.hpp"

namespace weighbridge {
namespace {

OutputFile text_file(std::string name, std::string text) {
  FilePlan plan;
  plan.head = std::move(text);
  plan.total_bytes = plan.head.size();
  return {.name = std::move(name), .plan = std::move(plan)};
}

void plan_shards(std::vector<OutputFile>& files, const Checkpoint& checkpoint, const std::string& output,
                 const std::vector<std::vector<std::size_t>>& shards, const ConvertOptions& options) {
  sharded::Index index;
  std::uint64_t tensor_bytes = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const Checkpoint part = select_tensors(checkpoint, shards[i]);
    index.files.push_back(shard_file_name(output, i, shards.size()));
    for (const TensorEntry& entry : part.tensors) {
      tensor_bytes += byte_size(entry.spec.dtype, entry.spec.shape);
      index.owner.emplace(entry.spec.name, static_cast<std::uint32_t>(i));
    }
    files.push_back(
        {.name = index.files.back(), .plan = plan_safetensors(part, options.style, options.open.limits)});
  }
  files.push_back(text_file(index_file_name(output), sharded::serialize_index(index, tensor_bytes)));
}

}  // namespace

Checkpoint take_optimizer(Checkpoint& checkpoint, SharedPolicy shared) {
  Checkpoint part;
  part.format = checkpoint.format;
  part.tensors = std::exchange(checkpoint.optimizer, {});
  part.metadata = Metadata{{"format", "pt"}};
  part.source_bytes = checkpoint.source_bytes;
  return share_tensors(std::move(part), shared);
}

std::vector<OutputFile> plan_safetensors_files(Checkpoint& checkpoint, const std::string& output,
                                               const ConvertOptions& options) {
  std::vector<OutputFile> files;
  report_equal_tensors(checkpoint);
  const auto shards = split_tensors(checkpoint, options.max_shard_bytes);
  if (shards.size() < 2) {
    files.push_back(
        {.name = output, .plan = plan_safetensors(checkpoint, options.style, options.open.limits)});
  } else {
    plan_shards(files, checkpoint, output, shards, options);
  }
  if (!checkpoint.optimizer.empty()) {
    const Checkpoint optimizer = take_optimizer(checkpoint, options.shared);
    files.push_back({.name = optimizer_file_name(output),
                     .plan = plan_safetensors(optimizer, options.style, options.open.limits)});
  }
  if (options.sidecar && checkpoint.extras != nullptr) {
    // Made while nothing has been written: whatever can go wrong with it goes wrong then.
    files.push_back(text_file(sidecar_file_name(output), checkpoint.extras->to_json(options.open.limits)));
  }
  return files;
}

}  // namespace weighbridge
