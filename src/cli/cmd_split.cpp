#include <weighbridge/text.hpp>

#include <CLI/App.hpp>
#include <fmt/format.h>

#include "cli/help.hpp"
#include "cli/pass_options.hpp"
#include "cli/several.hpp"
#include "cli/ways.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Puts the tensors of one file into several: by how their names begin, or by size with an index. All "
    "files "
    "appear when all are complete.";

struct Options {
  Input input;
  std::filesystem::path output;
  std::size_t depth = 0;
  bool strip = false;
  ConvertOptions convert;
  bool explain = false;
};

void declare(CLI::App& app, Options& options) {
  add_file(app, options.input.file, "IN", "The checkpoint; its format is told by its content.");
  add_value(app, "-o,--output", options.output, "OUT",
            "What the files are named after: model.safetensors gives model.encoder.safetensors or "
            "model-00001-of-00002.safetensors. Required.")
      ->required();
  CLI::Option* depth =
      add_value(app, "--by-prefix", options.depth, "N",
                "A file for each group of tensors that have the first N parts of their names in common.")
          ->check(CLI::Range(1, 64));
  add_flag(app, "--strip", options.strip,
           "With --by-prefix: take off what the names of a file have in common.")
      ->needs(depth);
  add_size(app, "--max-size", options.convert.max_shard_bytes,
           "Files of at most this size, e.g. 5GB or 500MiB, and an index of them.")
      ->excludes(depth);
  add_flag(app, "-f,--force", options.convert.write.overwrite, "Replace the files when they exist.");
  add_format(app, options.convert);
  add_passes(app, options.convert.passes);
  add_key(app, options.input.key);
  add_policies(app, options.input.open);
  add_allow_dangerous(app, options.convert.allow_dangerous);
  add_explain(app, options.explain);
  add_json(app, options.input.json);
  add_examples(app, {{"The parts of a pipeline",
                      "weighbridge split all.safetensors -o part.safetensors "
                      "--by-prefix 1 --strip"},
                     {"For a hub that takes 5 GB a file",
                      "weighbridge split model.pt -o model.safetensors --max-size 5GB"}});
}

WorkerOptions prepare(const Options& options) {
  if (options.depth == 0 && options.convert.max_shard_bytes == 0) {
    throw Error(ErrorCode::InvalidArgument, "--by-prefix or --max-size is needed");
  }
  WorkerOptions worker = worker_for(options.input);
  worker.output = options.output;
  worker.write = options.convert.write;
  return worker;
}

Conversion plan(const Options& options, Checkpoint checkpoint) {
  const std::string output = options.output.filename().string();
  if (options.depth == 0) return plan_checkpoint(std::move(checkpoint), output, options.convert);
  return plan_split(checkpoint, output, options.depth, options.strip, options.convert);
}

int execute(const Options& options, WorkerFiles& files) {
  const Conversion conversion = plan(options, open_input(options.input, files));
  const ConvertReport report = write_all(conversion, files, options.convert.write);
  report_files("split", options.output, conversion, report,
               {.json = options.input.json, .explain = options.explain});
  return kOk;
}

}  // namespace

void add_split(CLI::App& app, Invocation& invocation) {
  add_worker_verb<Options>(app, invocation, "split", kPurpose, declare, prepare, execute);
}

}  // namespace weighbridge::cli
