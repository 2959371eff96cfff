#include <weighbridge/write.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"

namespace weighbridge {
namespace {

std::uint64_t output_limit(const Checkpoint& checkpoint, const Limits& limits) {
  if (limits.output_bytes != 0) return limits.output_bytes;
  constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
  const std::uint64_t input = checkpoint.source_bytes;
  return std::max(checked_mul(input, 4).value_or(UINT64_MAX), checked_add(input, kGiB).value_or(UINT64_MAX));
}

void check_output(std::uint64_t bytes, const Checkpoint& checkpoint, const Limits& limits) {
  const std::uint64_t limit = output_limit(checkpoint, limits);
  if (bytes <= limit) return;
  throw Error(ErrorCode::LimitExceeded,
              fmt::format("the output would be {} bytes, the limit for an input of {} bytes is {}", bytes,
                          checkpoint.source_bytes, limit));
}

}  // namespace

FilePlan plan_safetensors(const Checkpoint& checkpoint, const HeaderStyle& style, const Limits& limits) {
  std::vector<TensorSpec> specs;
  specs.reserve(checkpoint.tensors.size());
  for (const TensorEntry& entry : checkpoint.tensors) specs.push_back(entry.spec);

  SerializedHeader header = serialize_header(specs, checkpoint.metadata, style);
  const std::uint64_t data_begin = header.bytes.size();
  const auto total = checked_add(data_begin, header.data_bytes);
  check_output(total.value_or(UINT64_MAX), checkpoint, limits);

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
