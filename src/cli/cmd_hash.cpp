#include <weighbridge/hash.hpp>
#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "cli/filter.hpp"
#include "cli/help.hpp"
#include "cli/options.hpp"
#include "cli/summary.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Prints the SHA-256 of a file or of its tensors. A tensor is hashed by its bytes as they stand in a "
    "safetensors file, so that equal tensors have equal hashes in whatever format they are stored.";

struct Options {
  Input input;
  std::vector<std::string> globs;
  bool tensors = false;
};

void declare(CLI::App& app, Options& options) {
  add_input(app, options.input);
  add_flag(app, "--tensors", options.tensors,
           "Hash each tensor instead of the file; with --json, as well as the file.");
  add_filter(app, options.globs);
  need(app, "--filter", "--tensors");
  add_examples(app,
               {{"As sha256sum does", "weighbridge hash model.safetensors"},
                {"What changed between two checkpoints?",
                 "diff <(weighbridge hash --tensors a.pt) <(weighbridge hash --tensors b.safetensors)"}});
}

void print_line(std::string_view digest, std::string_view name) {
  fmt::print("{}  {}\n", digest, printable(name));
}

void print_tensors(const Options& options, WorkerFiles& files) {
  const Checkpoint checkpoint = open_input(options.input, files);
  for (const TensorEntry* tensor : filter_tensors(checkpoint, options.globs)) {
    print_line(sha256(*tensor), tensor->spec.name);
  }
}

Json tensors_json(const Options& options, WorkerFiles& files) {
  const Checkpoint checkpoint = open_input(options.input, files);
  Json list = Json::array();
  for (const TensorEntry* tensor : filter_tensors(checkpoint, options.globs)) {
    Json entry = tensor_json(tensor->spec);
    entry["sha256"] = sha256(*tensor);
    list.push_back(std::move(entry));
  }
  return list;
}

Json hash_json(const Options& options, WorkerFiles& files) {
  const SourcePtr source = files.open_input();
  Json json = document("hash");
  json["file"] = options.input.file;
  json["bytes"] = source->size();
  json["sha256"] = sha256(*source);
  if (options.tensors) json["tensors"] = tensors_json(options, files);
  return json;
}

WorkerOptions prepare(const Options& options) { return worker_for(options.input); }

int execute(const Options& options, WorkerFiles& files) {
  if (options.input.json) {
    print_json(stdout, hash_json(options, files));
  } else if (options.tensors) {
    print_tensors(options, files);
  } else {
    print_line(sha256(*files.open_input()), options.input.file);
  }
  return kOk;
}

}  // namespace

void add_hash(CLI::App& app, Invocation& invocation) {
  add_worker_verb<Options>(app, invocation, "hash", kPurpose, declare, prepare, execute);
}

}  // namespace weighbridge::cli
