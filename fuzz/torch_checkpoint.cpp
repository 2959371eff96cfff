// Any bytes as a file: detection, every container, the tree, the findings and the sidecar.
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>

#include <weighbridge/checkpoint.hpp>

namespace {

/// Small enough for every input to be quick, large enough to reach every branch.
weighbridge::Limits small_limits() {
  weighbridge::Limits limits;
  limits.pickle_nodes = 100'000;
  limits.tensors = 10'000;
  limits.name_bytes = 1024;
  limits.walk_depth = 64;
  limits.inflated_floor = 1 << 20;
  limits.sidecar_bytes = 1 << 20;
  return limits;
}

void read(const weighbridge::Buffer& bytes, const weighbridge::OpenOptions& options) {
  try {
    const auto checkpoint = weighbridge::read_checkpoint(weighbridge::memory_source(bytes), options);
    for (const auto& tensor : checkpoint.tensors) tensor_runs(tensor);
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
  read(buffer, options);
  return 0;
}
