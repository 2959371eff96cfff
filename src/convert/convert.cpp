#include <algorithm>
#include <system_error>

#include <weighbridge/convert.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "convert/outputs.hpp"

namespace weighbridge {
namespace {

void refuse_empty(const Checkpoint& checkpoint) {
  if (!checkpoint.tensors.empty()) return;
  const std::string where =
      checkpoint.root == "." ? "" : fmt::format(" under '{}'", printable(checkpoint.root));
  const auto constants = std::ranges::find(checkpoint.findings, "ConstantsNotTaken", &Finding::code);
  const std::string hint = constants == checkpoint.findings.end() ? "" : "; " + constants->message;
  throw Error(ErrorCode::NoTensors,
              fmt::format("no tensors{} in this {} file{}", where, checkpoint.format, hint));
}

void refuse_existing(const std::filesystem::path& path, const WriteOptions& options) {
  std::error_code ignored;  // a path that cannot be looked at is reported by the write itself
  if (options.overwrite || !std::filesystem::exists(path, ignored)) return;
  throw Error(ErrorCode::OutputExists, fmt::format("'{}' exists already", printable(path.string())),
              path.string());
}

/// The way back needs every tensor of a checkpoint, unless a part of it was asked for.
OpenOptions open_options(const ConvertOptions& options) {
  OpenOptions open = options.open;
  if (open.input_name.empty()) open.input_name = options.input_name;
  if (options.to == OutputFormat::Torch && !open.key) open.optimizer = OptimizerPolicy::Separate;
  return open;
}

void check_options(const ConvertOptions& options) {
  if (options.sidecar && options.passes.change_names()) {
    throw Error(ErrorCode::InvalidArgument,
                "a sidecar tells of the input's tensors by their names, so that none can be written where "
                "tensors are selected or renamed");
  }
  if (options.to == OutputFormat::Safetensors) return;
  if (options.to == OutputFormat::Onnx && options.open.key) {
    throw Error(ErrorCode::InvalidArgument, "a model of ONNX is written as a whole, without a key");
  }
  const bool beside =
      options.open.optimizer == OptimizerPolicy::Separate && options.to != OutputFormat::Torch;
  if (options.max_shard_bytes == 0 && !options.sidecar && !beside) return;
  throw Error(ErrorCode::InvalidArgument,
              "shards, sidecars and an optimizer's file are written beside safetensors only");
}

/// A model of ONNX is made from itself when no other one is given.
ConvertOptions with_template(ConvertOptions options, const SourcePtr& input) {
  if (options.to != OutputFormat::Onnx || options.template_file != nullptr) return options;
  options.template_file = input;
  options.template_is_input = true;
  return options;
}

/// GGUF has no second name for a tensor.
SharedPolicy shared_policy(const ConvertOptions& options) {
  const bool alone = options.to == OutputFormat::Gguf && options.shared == SharedPolicy::Dedupe;
  return alone ? SharedPolicy::Copy : options.shared;
}

/// Blocks that were asked for as numbers are that much larger: F32 of the smallest type are 20 times as many
/// bytes. Without that wish the bound is the usual one.
ConvertOptions with_room_for_blocks(ConvertOptions options, const Checkpoint& checkpoint) {
  constexpr std::uint64_t kLargestGrowth = 21;
  const bool grows = options.open.dequantize || options.open.quantized == QuantizedPolicy::Dequantize;
  if (grows && options.open.limits.output_bytes == 0 && checkpoint.source_bytes < UINT64_MAX / 32) {
    options.open.limits.output_bytes = (std::uint64_t{1} << 30) + kLargestGrowth * checkpoint.source_bytes;
  }
  return options;
}

using FilePlanner = std::vector<OutputFile> (*)(Checkpoint&, const std::string&, const ConvertOptions&);

FilePlanner planner_of(OutputFormat format) {
  switch (format) {
    case OutputFormat::Torch:
      return plan_torch_files;
    case OutputFormat::Onnx:
      return plan_onnx_files;
    case OutputFormat::Npz:
      return plan_npz_files;
    case OutputFormat::Npy:
      return plan_npy_files;
    case OutputFormat::Gguf:
      return plan_gguf_files;
    case OutputFormat::Hdf5:
    case OutputFormat::Keras:
      return plan_filled_files;
    case OutputFormat::Safetensors:
      break;
  }
  return plan_safetensors_files;
}

}  // namespace

void refuse_dangerous(const Findings& findings) {
  const auto is_danger = [](const Finding& finding) { return finding.severity == Severity::Danger; };
  const auto first = std::ranges::find_if(findings, is_danger);
  if (first == findings.end()) return;
  const auto more = std::ranges::count_if(first + 1, findings.end(), is_danger);
  std::string message = "refused, nothing was run: " + first->message;
  if (more > 0) message += fmt::format(" (and {} more dangerous names)", more);
  throw Error(ErrorCode::DangerousContent, message, first->subject, first->offset);
}

Conversion plan_conversion(SourcePtr input, const std::string& output, const ConvertOptions& given) {
  check_options(given);
  const ConvertOptions options = with_template(given, input);
  return plan_checkpoint(read_checkpoint(std::move(input), open_options(options)), output, options);
}

Conversion plan_checkpoint(Checkpoint checkpoint, const std::string& output, const ConvertOptions& options) {
  check_options(options);
  if (!options.allow_dangerous) refuse_dangerous(checkpoint.findings);
  if (!options.allow_empty) refuse_empty(checkpoint);
  checkpoint = share_tensors(apply_passes(std::move(checkpoint), options.passes), shared_policy(options));
  Conversion conversion;
  conversion.files = planner_of(options.to)(checkpoint, output, with_room_for_blocks(options, checkpoint));
  conversion.checkpoint = std::move(checkpoint);
  return conversion;
}

bool may_be_sharded(const std::filesystem::path& input, const ConvertOptions& options) {
  const std::string name = input.filename().string();
  std::error_code ignored;  // what cannot be looked at cannot be opened either
  return options.max_shard_bytes != 0 || whole_file_name(name) != name ||
         std::filesystem::is_directory(input, ignored);
}

SourcePtr open_source(const std::filesystem::path& input, ConvertOptions& options) {
  std::error_code ignored;  // what cannot be looked at cannot be opened either
  const bool is_folder = std::filesystem::is_directory(input, ignored);
  if (!options.open.folder) {
    options.open.folder =
        open_input_folder(is_folder ? checkpoint_folder(input) : input.parent_path(), options.open.mode);
  }
  if (!is_folder) {
    if (options.input_name.empty()) options.input_name = input.filename().string();
    return open_file(input, options.open.mode);
  }
  FoundInput found = find_input(*options.open.folder);
  options.input_name = std::move(found.name);
  return std::move(found.source);
}

ConvertReport convert(const std::filesystem::path& input, const std::filesystem::path& output,
                      const ConvertOptions& options) {
  if (!may_be_sharded(input, options)) refuse_existing(output, options.write);
  ConvertOptions with_folder = options;
  const SourcePtr source = open_source(input, with_folder);
  const Conversion conversion = plan_conversion(source, output.filename().string(), with_folder);
  const auto folder = open_output_folder(output.parent_path(), options.write);
  return write_conversion(conversion, *folder, with_folder);
}

}  // namespace weighbridge
