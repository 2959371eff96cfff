#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "cli/help.hpp"
#include "cli/options.hpp"
#include "cli/summary.hpp"
#include "cli/terminal.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Describes a file. Shows format, size, parameters, dtypes, metadata, names that share their bytes, what "
    "is no tensor, and what was noticed; no tensor is read.";

constexpr std::uint64_t kMostItems = 20;

struct Options {
  Input input;
};

void declare(CLI::App& app, Options& options) {
  add_input(app, options.input);
  add_examples(app,
               {{"What is this file?", "weighbridge info model.ckpt"},
                {"Parameters, as a number", "weighbridge info model.pt --json | jq .totals.parameters"}});
}

std::string shortened(const std::string& text) {
  constexpr std::size_t kMost = 200;
  return text.size() <= kMost ? printable(text) : printable(text.substr(0, kMost)) + "...";
}

void print_metadata(const Checkpoint& checkpoint) {
  if (!checkpoint.metadata || checkpoint.metadata->empty()) return;
  fmt::print("  metadata:\n");
  for (const auto& [key, value] : *checkpoint.metadata)
    fmt::print("    {}: {}\n", shortened(key), shortened(value));
}

void print_text(const Options& options, const Checkpoint& checkpoint, const std::vector<TiedName>& tied) {
  const std::string file = printable(options.input.file);
  fmt::print("{}: {}, {}\n", styled(stdout, Style::Strong, file), printable(checkpoint.format),
             size_text(checkpoint.source_bytes));
  print_root(stdout, checkpoint);
  print_totals(stdout, count_totals(checkpoint));
  print_metadata(checkpoint);
  print_tied(stdout, tied, kMostItems);
  print_extras(stdout, checkpoint, kMostItems, "");
  print_findings(stdout, checkpoint.findings);
}

Json info_json(const Options& options, const Checkpoint& checkpoint, const std::vector<TiedName>& tied) {
  Json json = document("info");
  json["file"] = options.input.file;
  json["format"] = checkpoint.format;
  json["bytes"] = checkpoint.source_bytes;
  json["root"] = checkpoint.root;
  json["candidates"] = candidates_json(checkpoint);
  json["totals"] = totals_json(count_totals(checkpoint));
  json["metadata"] = metadata_json(checkpoint.metadata);
  json["tied"] = tied_json(tied);
  json["not_tensors"] = extras_json(checkpoint, kMostItems);
  json["findings"] = findings_json(checkpoint.findings);
  return json;
}

WorkerOptions prepare(const Options& options) { return worker_for(options.input); }

int execute(const Options& options, WorkerFiles& files) {
  const Checkpoint checkpoint = open_input(options.input, files);
  const auto tied = tied_names(share_tensors(checkpoint, SharedPolicy::Dedupe));
  if (options.input.json) {
    print_json(stdout, info_json(options, checkpoint, tied));
  } else {
    print_text(options, checkpoint, tied);
  }
  return kOk;
}

}  // namespace

void add_info(CLI::App& app, Invocation& invocation) {
  add_worker_verb<Options>(app, invocation, "info", kPurpose, declare, prepare, execute);
}

}  // namespace weighbridge::cli
