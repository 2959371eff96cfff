#include "cli/convert_options.hpp"

#include "cli/help.hpp"

namespace weighbridge::cli {
namespace {

void declare_input_options(CLI::App& app, ConvertCommand& command) {
  add_file(app, command.input.file, "IN", "The checkpoint; its format is told by its content.");
  add_key(app, command.input.key);
  add_choice<SharedPolicy>(
      app, "--shared", command.options.shared,
      {{"dedupe", SharedPolicy::Dedupe}, {"copy", SharedPolicy::Copy}, {"error", SharedPolicy::Refuse}},
      "Tensors that are the same bytes: keep one and note the other names in the metadata, write each, or "
      "stop. Default: dedupe.");
  add_allow_dangerous(app, command.options.allow_dangerous);
  add_flag(app, "--allow-empty", command.options.allow_empty,
           "Convert a file without tensors to one without tensors.");
}

void declare_output_options(CLI::App& app, ConvertCommand& command) {
  add_value(app, "-o,--output", command.output, "OUT",
            "Where to write; '-' is standard output. Default: IN with the suffix .safetensors.");
  add_flag(app, "-f,--force", command.options.write.overwrite, "Replace OUT when it exists.");
  add_flag(app, "--sidecar", command.options.sidecar, "Write all that is no tensor to OUT.meta.json.");
  add_value(app, "--align", command.options.style.alignment, "BYTES",
            "Start the tensors at a multiple of this, a power of two from 8 to 4096. Default: 8.");
  add_value(app, "--slack", command.options.style.slack, "BYTES",
            "Keep this much room in the header for metadata that comes later. Default: 0.");
  add_value(app, "--max-output-bytes", command.options.open.limits.output_bytes, "BYTES",
            "Refuse a larger output. Default: four times the input, or the input and 1 GiB.");
}

void declare_writing(CLI::App& app, ConvertCommand& command) {
  add_flag(app, "--verify,!--no-verify", command.options.write.verify,
           "Read the output again and compare every tensor with its source, or do not. Default: verify.");
  add_choice<Durability>(app, "--durability", command.options.write.durability,
                         {{"none", Durability::None}, {"data", Durability::Data}, {"full", Durability::Full}},
                         "What must be on the disk before success is reported: nothing, the file, or the "
                         "file and its folder. Default: none.");
  add_value(app, "--threads", command.options.write.threads, "N",
            "Threads to copy with. Default: 0, as many as pay.");
  add_flag(app, "--dry-run", command.dry_run, "Show what would be written, and write nothing.");
}

void declare_reporting(CLI::App& app, ConvertCommand& command) {
  add_flag(app, "-q,--quiet", command.quiet, "Say nothing but errors.");
  add_json(app, command.input.json);
  add_choice<ProgressMode>(
      app, "--progress", command.progress,
      {{"auto", ProgressMode::Auto}, {"always", ProgressMode::Always}, {"never", ProgressMode::Never}},
      "Show a progress bar on standard error. Default: auto, on a terminal.");
}

}  // namespace

std::filesystem::path ConvertCommand::output_path() const {
  if (!output.empty()) return output;
  return std::filesystem::path(input.file).replace_extension(".safetensors");
}

std::filesystem::path ConvertCommand::sidecar_path() const {
  std::filesystem::path path = output_path();
  path += ".meta.json";
  return path;
}

void declare_convert(CLI::App& app, ConvertCommand& command) {
  declare_input_options(app, command);
  declare_output_options(app, command);
  declare_writing(app, command);
  declare_reporting(app, command);
  add_examples(app, {{"model.pt becomes model.safetensors", "weighbridge convert model.pt"},
                     {"Take the weights of a training checkpoint, and keep the rest as JSON",
                      "weighbridge convert run.ckpt -o model.safetensors --key state_dict --sidecar"},
                     {"Look before writing", "weighbridge convert model.pt --dry-run"},
                     {"Through a pipe", "weighbridge convert model.pt -o - | sha256sum"}});
}

ConvertOptions convert_options(const ConvertCommand& command) {
  ConvertOptions options = command.options;
  options.open.key = command.input.key;
  options.write.progress = make_progress(command.progress, command.quiet);
  return options;
}

}  // namespace weighbridge::cli
