// The way to numpy: an archive of arrays, or one array.
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "convert/lacking.hpp"
#include "convert/outputs.hpp"
#include "core/output_limit.hpp"
#include "formats/numpy/write.hpp"

namespace weighbridge {
namespace {

constexpr std::string_view kNumPy = "NumPy";

void make_arrays(Checkpoint& checkpoint, const ConvertOptions& options) {
  const auto has = [](const TensorSpec& spec) { return !numpy::find_descr(spec.dtype).empty(); };
  copy_tied(checkpoint, kNumPy);
  report_lost_metadata(checkpoint, kNumPy);
  replace_lacking(checkpoint, {.name = kNumPy, .has = has}, options.lacking);
}

std::vector<OutputFile> single_file(const Checkpoint& checkpoint, const std::string& output, FilePlan plan,
                                    const ConvertOptions& options) {
  check_output_size(plan.total_bytes, checkpoint, options.open.limits);
  std::vector<OutputFile> files;
  files.push_back({.name = output, .plan = std::move(plan)});
  return files;
}

}  // namespace

std::vector<OutputFile> plan_npz_files(Checkpoint& checkpoint, const std::string& output,
                                       const ConvertOptions& options) {
  make_arrays(checkpoint, options);
  return single_file(checkpoint, output, numpy::plan_npz(checkpoint.tensors), options);
}

std::vector<OutputFile> plan_npy_files(Checkpoint& checkpoint, const std::string& output,
                                       const ConvertOptions& options) {
  make_arrays(checkpoint, options);
  if (checkpoint.tensors.size() != 1) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("an .npy file holds one array, and here are {} tensors; an .npz file holds all, "
                            "--select chooses one",
                            checkpoint.tensors.size()));
  }
  const TensorEntry& tensor = checkpoint.tensors.front();
  if (tensor.spec.name != "array") {
    checkpoint.findings.push_back(
        {.severity = Severity::Warning,
         .code = "NameNotKept",
         .message =
             fmt::format("an .npy file has no name: '{}' comes back as 'array'", printable(tensor.spec.name)),
         .subject = tensor.spec.name,
         .offset = std::nullopt});
  }
  return single_file(checkpoint, output, numpy::plan_npy(tensor), options);
}

}  // namespace weighbridge
