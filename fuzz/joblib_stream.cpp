// Any bytes as a joblib file: a pickle with arrays between its opcodes. Every tensor is read.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/write.hpp>

#include "formats/torch/read.hpp"

namespace {

constexpr std::uint64_t kMostBytes = 1 << 16;

weighbridge::OpenOptions small_options() {
  weighbridge::OpenOptions options;
  options.limits.pickle_nodes = 20'000;
  options.limits.tensors = 10'000;
  options.limits.name_bytes = 1024;
  options.limits.walk_depth = 64;
  options.split_complex = true;
  return options;
}

std::optional<weighbridge::Checkpoint> read(std::string bytes) {
  const auto options = small_options();
  try {
    const auto source = weighbridge::memory_source(weighbridge::Buffer::take(std::move(bytes)));
    auto checkpoint = weighbridge::torch::read_raw(source, options);
    if (checkpoint.extras) static_cast<void>(checkpoint.extras->to_json(options.limits));
    return checkpoint;
  } catch (const weighbridge::Error&) {
    return std::nullopt;  // Refusing is an answer.
  }
}

// What was accepted can be read: an error from here on is a fault.
void read_tensor(const weighbridge::TensorEntry& entry) {
  const weighbridge::ByteRuns runs = weighbridge::tensor_runs(entry);
  if (runs.total_bytes > kMostBytes) return;
  std::vector<std::byte> content(runs.total_bytes);
  weighbridge::read_runs(*entry.data.source, runs, entry.data.transform, 0, content);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto checkpoint = read(std::move(bytes));
  if (!checkpoint) return 0;
  for (const auto& tensor : checkpoint->tensors) read_tensor(tensor);
  return 0;
}
