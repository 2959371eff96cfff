#include "cli/pass_options.hpp"

#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <fmt/format.h>

#include "cli/options.hpp"

namespace weighbridge::cli {
namespace {

constexpr std::string_view kArrow = "=>";

/// One value each time, as often as wanted: "--drop GLOB FILE" must not take FILE for a second pattern.
void repeatable(CLI::Option* option) {
  option->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

RenameRule parse_rule(const std::string& text) {
  const std::size_t arrow = text.find(kArrow);
  if (arrow != std::string::npos) return {text.substr(0, arrow), text.substr(arrow + kArrow.size())};
  throw CLI::ValidationError("--rename", fmt::format("'{}' is no PATTERN=>REPLACEMENT", text));
}

}  // namespace

void add_passes(CLI::App& app, PassOptions& passes) {
  repeatable(add_value(app, "--select", passes.select, "GLOB",
                       "Only tensors whose name in IN matches, e.g. 'model.*.weight'. Repeatable."));
  repeatable(
      add_value(app, "--drop", passes.drop, "GLOB", "Not the tensors whose name matches. Repeatable."));
  std::optional<DType>& dtype = passes.dtype;
  add_choice<std::optional<DType>>(
      app, "--dtype", dtype,
      {{"f64", DType::F64},
       {"f32", DType::F32},
       {"f16", DType::F16},
       {"bf16", DType::BF16},
       {"f8_e4m3", DType::F8_E4M3},
       {"f8_e5m2", DType::F8_E5M2}},
      "Cast floating tensors: rounded to nearest, ties to even; what is too large becomes infinite (448 in "
      "f8_e4m3) and is counted.");
  CLI::Option* only = add_value(app, "--dtype-only", passes.cast, "GLOB",
                                "Cast only the tensors whose name matches. Repeatable.");
  repeatable(only);
  only->needs(app.get_option("--dtype"));
  add_value(app, "--strip-prefix", passes.strip_prefix, "TEXT",
            "Take this off the names that start with it.");
  const auto add_rule = [&passes](const std::vector<std::string>& rules) {
    passes.rename.clear();
    for (const std::string& rule : rules) passes.rename.push_back(parse_rule(rule));
  };
  repeatable(app.add_option_function<std::vector<std::string>>(
                    "--rename", add_rule,
                    "Replace each match of a regular expression in every name; \\1 to \\9 are its groups. "
                    "Repeatable, in this order.")
                 ->option_text("PATTERN=>TEXT"));
}

void add_format(CLI::App& app, ConvertOptions& options) {
  add_choice<OutputFormat>(
      app, "--to", options.to,
      {{"safetensors", OutputFormat::Safetensors},
       {"pt", OutputFormat::Torch},
       {"npz", OutputFormat::Npz},
       {"npy", OutputFormat::Npy},
       {"onnx", OutputFormat::Onnx},
       {"gguf", OutputFormat::Gguf},
       {"h5", OutputFormat::Hdf5},
       {"keras", OutputFormat::Keras}},
      "What to write: safetensors; a PyTorch file of plain data, made of the tensors "
      "and the sidecar and optimizer's file beside IN; arrays for NumPy and MLX, or one "
      "array; GGUF, with the key-value pairs of the sidecar; an ONNX model, an HDF5 file or "
      "a .keras archive, each a template filled (h5 goes without one). Default: safetensors.");
  add_choice<LackingPolicy>(app, "--lacking", options.lacking,
                            {{"error", LackingPolicy::Refuse}, {"u8", LackingPolicy::Bytes}},
                            "Tensors of a dtype that the output format does not have: stop, or write their "
                            "bytes as U8. Default: error.");
}

const char* suffix_of(OutputFormat format) {
  switch (format) {
    case OutputFormat::Torch:
      return ".pt";
    case OutputFormat::Npz:
      return ".npz";
    case OutputFormat::Npy:
      return ".npy";
    case OutputFormat::Onnx:
      return ".onnx";
    case OutputFormat::Gguf:
      return ".gguf";
    case OutputFormat::Hdf5:
      return ".h5";
    case OutputFormat::Keras:
      return ".keras";
    case OutputFormat::Safetensors:
      break;
  }
  return ".safetensors";
}

}  // namespace weighbridge::cli
