#include <weighbridge/write.hpp>

#include "base/checked.hpp"
#include "core/output_limit.hpp"

namespace weighbridge {
FilePlan plan_safetensors(const Checkpoint& checkpoint, const HeaderStyle& style, const Limits& limits) {
  std::vector<TensorSpec> specs;
  specs.reserve(checkpoint.tensors.size());
  for (const TensorEntry& entry : checkpoint.tensors) specs.push_back(entry.spec);

  SerializedHeader header = serialize_header(specs, checkpoint.metadata, style);
  const std::uint64_t data_begin = header.bytes.size();
  const auto total = checked_add(data_begin, header.data_bytes);
  check_output_size(total.value_or(UINT64_MAX), checkpoint, limits);

  FilePlan plan{.head = std::move(header.bytes), .steps = {}, .total_bytes = *total};
  plan.steps.reserve(specs.size());
  for (std::size_t i = 0; i < header.order.size(); ++i) {
    const TensorEntry& entry = checkpoint.tensors[header.order[i]];
    ByteRuns runs = tensor_runs(entry);
    if (runs.total_bytes == 0) continue;
    plan.steps.push_back({.name = entry.spec.name,
                          .source = entry.data.source,
                          .runs = std::move(runs),
                          .transform = entry.data.transform,
                          .destination = data_begin + header.data_offsets[i]});
  }
  return plan;
}

}  // namespace weighbridge
