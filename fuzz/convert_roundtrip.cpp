// Whatever can be converted reads back as the same tensors.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>

#include <weighbridge/convert.hpp>
#include <weighbridge/hash.hpp>

namespace {

using namespace weighbridge;

ConvertOptions small_limits() {
  ConvertOptions options;
  options.allow_dangerous = true;
  options.allow_empty = true;
  options.open.limits.pickle_nodes = 100'000;
  options.open.limits.tensors = 1'000;
  options.open.limits.inflated_floor = 1 << 20;
  options.open.limits.expansion_floor = 1 << 20;
  options.open.limits.output_bytes = 4 << 20;
  return options;
}

std::vector<std::byte> assemble(const FilePlan& plan) {
  std::vector<std::byte> file(plan.total_bytes);
  std::memcpy(file.data(), plan.head.data(), plan.head.size());
  for (const CopyStep& step : plan.steps) {
    read_runs(*step.source, step.runs, step.transform, 0,
              std::span(file).subspan(step.destination, step.runs.total_bytes));
  }
  return file;
}

// Booleans are normalised on the way, so their hashes may differ from those of the source.
std::map<std::string, std::string> hashes(const Checkpoint& checkpoint) {
  std::map<std::string, std::string> result;
  for (const TensorEntry& entry : checkpoint.tensors) {
    result.emplace(entry.spec.name, shape_text(entry.spec.shape) + sha256(entry));
  }
  return result;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const ConvertOptions options = small_limits();
    const Conversion conversion = plan_conversion(
        memory_source(Buffer::take(std::vector<std::byte>(bytes.begin(), bytes.end()))), "out", options);
    std::vector<std::byte> file;
    try {
      file = assemble(conversion.files.front().plan);
    } catch (const Error&) {
      return 0;  // a damaged compressed entry is found when it is read
    }
    const Checkpoint back = read_checkpoint(memory_source(Buffer::take(std::move(file))));
    require(back.tensors.size() == conversion.checkpoint.tensors.size());
    require(hashes(back) == hashes(conversion.checkpoint));
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
