#include "cli/convert_options.hpp"

#include <CLI/App.hpp>

#include "cli/help.hpp"
#include "cli/pass_options.hpp"
#include "cli/ways.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

void declare_input_options(CLI::App& app, ConvertCommand& command) {
  add_file(app, command.input.file, "IN", "The checkpoint; its format is told by its content.");
  add_key(app, command.input.key);
  add_policies(app, command.options.open);
  add_choice<SharedPolicy>(
      app, "--shared", command.options.shared,
      {{"dedupe", SharedPolicy::Dedupe}, {"copy", SharedPolicy::Copy}, {"error", SharedPolicy::Refuse}},
      "Tensors that are the same bytes: keep one and note the other names in the metadata, write each, or "
      "stop. Default: dedupe.");
  add_flag(app, "--paddle-bf16", command.options.open.paddle_bf16,
           "Take uint16 arrays for BF16, as paddle saves bfloat16 parameters.");
  add_flag(app, "--constants", command.options.open.constants,
           "Also take the constants of TorchScript code, as CONSTANTS.c0 and so on.");
  add_choice<OptimizerPolicy>(
      app, "--optimizer", command.options.open.optimizer,
      {{"skip", OptimizerPolicy::Skip},
       {"separate", OptimizerPolicy::Separate},
       {"inline", OptimizerPolicy::Inline}},
      "Tensors outside the model, such as an optimizer's state: leave them out, write "
      "them to a file of their own (OUT's stem and .optimizer.safetensors), or among "
      "the model's. Default: skip.");
  add_choice<NamePolicy>(
      app, "--names", command.options.open.names,
      {{"exact", NamePolicy::Exact}, {"pretty", NamePolicy::Pretty}},
      "Of Keras models: the paths of the file (layers/dense/vars/0), or the names of layers and variables "
      "(dense.kernel). Default: exact.");
  add_allow_dangerous(app, command.options.allow_dangerous);
  add_flag(app, "--allow-empty", command.options.allow_empty,
           "Convert a file without tensors to one without tensors.");
}

void declare_onnx_options(CLI::App& app, ConvertCommand& command) {
  app.add_flag_callback(
      "--external",
      [&command] {
        command.options.external_data = true;
        command.options.to = OutputFormat::Onnx;
      },
      "Write an ONNX model whose data is a safetensors file beside it. Implies --to onnx.");
  add_value(app, "--inline-below", command.options.inline_below, "BYTES",
            "With --external: keep smaller initializers in the model as well. Default: 1024.");
}

void declare_gguf_options(CLI::App& app, ConvertCommand& command) {
  add_value(app, "--kv", command.options.gguf_values, "KEY=TYPE:VALUE",
            "With --to gguf: a pair such as general.architecture=str:llama or ids=u32[]:1,2. Repeatable.")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_choice<Quantize>(app, "--quantize", command.options.quantize,
                       {{"none", Quantize::None}, {"q8_0", Quantize::Q8_0}},
                       "With --to gguf: floating-point tensors of two dimensions and more as blocks of 8-bit "
                       "integers under a scale. Default: none.");
}

void declare_output_options(CLI::App& app, ConvertCommand& command) {
  add_value(app, "-o,--output", command.output, "OUT",
            "Where to write; '-' is standard output. Default: IN with the suffix .safetensors.");
  add_flag(app, "-f,--force", command.options.write.overwrite, "Replace OUT when it exists.");
  add_format(app, command.options);
  add_value(
      app, "--template", command.template_file, "FILE",
      "A model of the same architecture, which becomes OUT with the tensors of IN in it. With --to onnx "
      "the default is IN.");
  declare_onnx_options(app, command);
  declare_gguf_options(app, command);
  add_flag(app, "--sidecar", command.options.sidecar, "Write all that is no tensor to OUT.meta.json.");
  add_flag(app, "--no-sidecar", command.no_sidecar,
           "With --to pt or gguf: the tensors alone, without what stands beside IN.");
  add_flag(app, "--keep-sources", command.options.open.keep_sources,
           "Keep the source text that old files embed for their classes in the sidecar, as text.");
  add_flag(app, "--drop-objects", command.options.drop_objects,
           "With --to pt: None in the place of objects that cannot come back, instead of stopping.");
  add_size(app, "--max-shard-size", command.options.max_shard_bytes,
           "Several files of at most this size, e.g. 5GB or 500MiB, and an index of them. Default: as many "
           "files as IN has.");
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
  add_sandbox(app, command.input.worker);
  CLI::Option* explain = add_explain(app, command.explain);
  add_flag(app, "--dry-run", command.dry_run, "Show what would be written, and write nothing.")
      ->excludes(explain);
}

void declare_reporting(CLI::App& app, ConvertCommand& command) {
  add_flag(app, "-q,--quiet", command.quiet, "Say nothing but errors.");
  add_json(app, command.input.json);
  add_choice<ProgressMode>(
      app, "--progress", command.progress,
      {{"auto", ProgressMode::Auto},
       {"always", ProgressMode::Always},
       {"never", ProgressMode::Never},
       {"json", ProgressMode::Json}},
      "Show a progress bar on standard error, or say how far it is in lines of JSON. Default: auto, a bar on "
      "a terminal.");
}

// An index or a folder stands for a model in several files, which transformers calls model.
std::filesystem::path default_output(const std::filesystem::path& input, const char* suffix) {
  std::error_code ignored;  // an input that cannot be looked at cannot be opened either
  if (std::filesystem::is_directory(input, ignored)) return (input / "model").concat(suffix);
  const std::string name = input.filename().string();
  const std::string whole = whole_file_name(name);
  std::filesystem::path output = input;
  output.replace_filename(whole).replace_extension(suffix);
  if (whole != name && output.stem() == "pytorch_model") {
    output.replace_filename("model").concat(suffix);
  }
  return output;
}

}  // namespace

std::filesystem::path ConvertCommand::output_path() const {
  if (!output.empty()) return output;
  const bool external = options.to == OutputFormat::Onnx && options.external_data;
  return default_output(input.file, external ? ".external.onnx" : suffix_of(options.to));
}

std::filesystem::path ConvertCommand::path_beside(const std::string& name) const {
  return output_path().parent_path() / name;
}

void declare_convert(CLI::App& app, ConvertCommand& command) {
  declare_input_options(app, command);
  add_passes(app, command.options.passes);
  declare_output_options(app, command);
  declare_writing(app, command);
  declare_reporting(app, command);
  add_examples(app, {{"model.pt becomes model.safetensors", "weighbridge convert model.pt"},
                     {"Take the weights of a training checkpoint, and keep the rest as JSON",
                      "weighbridge convert run.ckpt -o model.safetensors --key state_dict --sidecar"},
                     {"Look before writing", "weighbridge convert model.pt --dry-run"},
                     {"Keep a training checkpoint whole, and make it one again",
                      "weighbridge convert run.ckpt -o run.safetensors --sidecar --optimizer separate && "
                      "weighbridge convert run.safetensors --to pt -o again.ckpt"},
                     {"Through a pipe", "weighbridge convert model.pt -o - | sha256sum"}});
}

ConvertOptions convert_options(const ConvertCommand& command) {
  ConvertOptions options = command.options;
  options.open.key = command.input.key;
  options.open.hdf5 = hdf5_for(command.input.worker);
  options.use_sidecar = !command.no_sidecar;
  options.write.progress = make_progress(command.progress, command.quiet);
  return options;
}

}  // namespace weighbridge::cli
