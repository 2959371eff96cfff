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
    "Puts the tensors of several files, of whatever formats, into one. A name that occurs twice is refused, "
    "unless prefixes tell them apart.";

struct Options {
  Input input;
  std::vector<std::string> files;
  std::vector<std::string> prefixes;
  std::filesystem::path output;
  ConvertOptions convert;
  bool explain = false;
};

void declare(CLI::App& app, Options& options) {
  app.add_option("IN", options.files, "Two checkpoints or more; their formats are told by their content.")
      ->required()
      ->expected(2, 1000);
  add_value(app, "-o,--output", options.output, "OUT", "The file to write. Required.")->required();
  add_flag(app, "-f,--force", options.convert.write.overwrite, "Replace OUT when it exists.");
  add_value(
      app, "--prefix", options.prefixes, "TEXT",
      "Put this in front of the names of the first IN; given again, of the second, and so on. '-' is none.")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_format(app, options.convert);
  add_passes(app, options.convert.passes);
  add_size(
      app, "--max-shard-size", options.convert.max_shard_bytes,
      "Several files of at most this size, e.g. 5GB or 500MiB, and an index of them. Default: one file.");
  add_policies(app, options.input.open);
  add_allow_dangerous(app, options.convert.allow_dangerous);
  add_explain(app, options.explain);
  add_json(app, options.input.json);
  add_examples(
      app,
      {{"A base model and what was added to it", "weighbridge merge base.pt added.npz -o model.safetensors"},
       {"Two models side by side",
        "weighbridge merge teacher.pt student.pt -o both.safetensors --prefix teacher. --prefix "
        "student."}});
}

void check(const Options& options) {
  if (options.prefixes.size() <= options.files.size()) return;
  throw Error(ErrorCode::InvalidArgument,
              fmt::format("{} prefixes for {} files", options.prefixes.size(), options.files.size()));
}

std::string prefix_of(const Options& options, std::size_t file) {
  const bool none = file >= options.prefixes.size() || options.prefixes[file] == "-";
  return none ? "" : options.prefixes[file];
}

WorkerOptions prepare(const Options& options) {
  check(options);
  if (!options.convert.write.overwrite) refuse_existing(options.output);
  WorkerOptions worker = options.input.worker;
  for (const std::string& file : options.files) worker.inputs.push_back(file_to_read(file));
  worker.output = options.output;
  worker.write = options.convert.write;
  return worker;
}

int execute(const Options& options, WorkerFiles& files) {
  std::vector<MergePart> parts;
  for (std::size_t i = 0; i < options.files.size(); ++i) {
    parts.push_back({.checkpoint = open_one(files, i, options.files[i], options.input.open),
                     .file = options.files[i],
                     .prefix = prefix_of(options, i)});
  }
  const Conversion conversion = plan_checkpoint(merge_checkpoints(std::move(parts)),
                                                options.output.filename().string(), options.convert);
  const ConvertReport report = write_all(conversion, files, options.convert.write);
  report_files("merge", options.output, conversion, report,
               {.json = options.input.json, .explain = options.explain});
  return kOk;
}

}  // namespace

void add_merge(CLI::App& app, Invocation& invocation) {
  add_worker_verb<Options>(app, invocation, "merge", kPurpose, declare, prepare, execute);
}

}  // namespace weighbridge::cli
