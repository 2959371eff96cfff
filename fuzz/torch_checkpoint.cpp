// Any bytes as a file: detection, every container, the tree, the findings, the sidecar, and the content
// of tensors that are computed.
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/write.hpp>

namespace {

constexpr std::uint64_t kMostRead = 1 << 16;

/// Small enough for every input to be quick, large enough to reach every branch.
weighbridge::Limits small_limits() {
  weighbridge::Limits limits;
  limits.pickle_nodes = 100'000;
  limits.tensors = 10'000;
  limits.name_bytes = 1024;
  limits.walk_depth = 64;
  limits.inflated_floor = 1 << 20;
  limits.sidecar_bytes = 1 << 20;
  limits.expansion_floor = 1 << 16;
  return limits;
}

/// From the middle to the end, then the front: out of order on purpose.
void read_content(const weighbridge::TensorEntry& tensor) {
  const auto runs = tensor_runs(tensor);
  if (runs.total_bytes == 0 || runs.total_bytes > kMostRead) return;
  std::vector<std::byte> bytes(runs.total_bytes);
  const std::size_t middle = bytes.size() / 16 * 8;
  const auto content = std::span(bytes);
  read_runs(*tensor.data.source, runs, tensor.data.transform, middle, content.subspan(middle));
  read_runs(*tensor.data.source, runs, tensor.data.transform, 0, content.first(middle));
}

void read(const weighbridge::Buffer& bytes, const weighbridge::OpenOptions& options) {
  try {
    const auto checkpoint = weighbridge::read_checkpoint(weighbridge::memory_source(bytes), options);
    for (const auto& tensor : checkpoint.tensors) read_content(tensor);
    if (!checkpoint.extras) return;
    std::ignore = checkpoint.extras->count();
    std::ignore = checkpoint.extras->list(100);
    std::ignore = checkpoint.extras->to_json(options.limits);
  } catch (const weighbridge::Error&) {
    // Refusing is an answer.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const weighbridge::Buffer buffer(bytes, nullptr);
  weighbridge::OpenOptions options;
  options.limits = small_limits();
  read(buffer, options);
  options.key = ".";
  options.sparse = weighbridge::SparsePolicy::Split;
  options.quantized = weighbridge::QuantizedPolicy::Dequantize;
  options.split_complex = true;
  options.skip_meta = true;
  read(buffer, options);
  return 0;
}
