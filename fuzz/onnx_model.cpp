// Any bytes as a model of ONNX: what was accepted can be read, and a model that is written with its data
// outside, or inside again, has the same tensors.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <weighbridge/convert.hpp>
#include <weighbridge/hash.hpp>
#include <weighbridge/scan.hpp>

#include "every_tensor.hpp"
#include "formats/onnx/read.hpp"

namespace {

using namespace weighbridge;

constexpr std::string_view kData = "data";

/// Gives one file whatever name is asked for.
class OneFile final : public InputFolder {
 public:
  explicit OneFile(std::string bytes) : source_(memory_source(Buffer::take(std::move(bytes)))) {}
  SourcePtr find(std::string_view /*name*/, Links /*links*/) const override { return source_; }

 private:
  SourcePtr source_;
};

SourcePtr source_of(std::string bytes) { return memory_source(Buffer::take(std::move(bytes))); }

OpenOptions options_with(const std::string& file) {
  OpenOptions options = fuzz::small_options();
  options.limits.header_bytes = 1 << 20;
  options.limits.expansion_floor = 1 << 16;
  options.split_complex = false;
  options.folder = std::make_shared<OneFile>(file);
  return options;
}

void require(bool condition) {
  if (!condition) std::abort();
}

std::string assemble(const FilePlan& plan) {
  std::string file(plan.total_bytes, '\0');
  std::memcpy(file.data(), plan.head.data(), plan.head.size());
  std::uint64_t at = plan.head.size();
  for (const CopyStep& step : plan.steps) {
    require(step.destination >= at && step.destination + step.runs.total_bytes <= file.size());
    at = step.destination + step.runs.total_bytes;
    read_runs(*step.source, step.runs, step.transform, 0,
              std::as_writable_bytes(std::span(file)).subspan(step.destination, step.runs.total_bytes));
  }
  return file;
}

std::map<std::string, std::string> hashes(const Checkpoint& checkpoint) {
  std::map<std::string, std::string> result;
  for (const TensorEntry& entry : checkpoint.tensors) {
    if (entry.spec.dtype == DType::BOOL) continue;  // normalised on the way
    result.emplace(entry.spec.name, shape_text(entry.spec.shape) + sha256(entry));
  }
  return result;
}

/// Writes the model, reads what was written, and gives that.
std::string write_again(const std::string& model, const std::string& beside, bool external,
                        std::string& data) {
  ConvertOptions options;
  options.open = options_with(beside);
  options.to = OutputFormat::Onnx;
  options.shared = SharedPolicy::Copy;
  options.allow_empty = true;
  options.external_data = external;
  options.inline_below = 4;
  const Conversion conversion = plan_conversion(source_of(model), "out.onnx", options);
  if (external) data = assemble(conversion.files.at(1).plan);
  return assemble(conversion.files.at(0).plan);
}

/// What was refused at first need not be written; what was written has to be read.
void check_round_trip(const std::string& model) {
  std::map<std::string, std::string> before;
  std::string outside;
  std::string moved;
  try {
    before = hashes(read_checkpoint(source_of(model), options_with(std::string(kData))));
    moved = write_again(model, std::string(kData), true, outside);
  } catch (const Error&) {
    return;
  }
  require(hashes(read_checkpoint(source_of(moved), options_with(outside))) == before);
  const std::string back = write_again(moved, outside, false, outside);
  require(hashes(read_checkpoint(source_of(back), options_with(""))) == before);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string model(reinterpret_cast<const char*>(data), size);
  try {
    std::ignore = scan(source_of(model), {.name = "model.onnx"});
    auto options = options_with(std::string(kData));
    options.sparse = SparsePolicy::Split;
    options.split_complex = true;
    for (const auto& tensor : onnx::read(source_of(model), options).tensors) fuzz::read_tensor(tensor);
  } catch (const Error&) {
    return 0;  // Refusing is an answer.
  }
  if (onnx::looks_like_model(*source_of(model))) check_round_trip(model);
  return 0;
}
