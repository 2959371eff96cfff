#include <filesystem>

#include <weighbridge/error.hpp>
#include <weighbridge/text.hpp>
#include <weighbridge/write.hpp>

#include <fmt/format.h>

#include "cli/help.hpp"
#include "cli/npy.hpp"
#include "cli/options.hpp"
#include "cli/selection.hpp"
#include "cli/signals.hpp"
#include "cli/summary.hpp"
#include "cli/terminal.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Writes a tensor to a file. The whole tensor or a slice of it, as raw bytes or in NumPy's .npy format. "
    "Only the bytes that are asked for are read; the output appears under its name only when it is complete.";

enum class Format : std::uint8_t { BySuffix, Raw, Npy };

struct Options {
  Input input;
  TensorRequest request;
  std::filesystem::path output;
  Format format = Format::BySuffix;
  bool force = false;
};

void declare(CLI::App& app, Options& options) {
  add_request(app, options.input, options.request);
  require(add_value(app, "-o,--output", options.output, "OUT", "The file to write. Required."));
  add_flag(app, "-f,--force", options.force, "Replace OUT when it exists.");
  add_choice<Format>(
      app, "--format", options.format, {{"raw", Format::Raw}, {"npy", Format::Npy}},
      "Raw little-endian bytes or NumPy's format. Default: npy when OUT ends in .npy, else raw.");
  add_json(app, options.input.json);
  add_examples(app,
               {{"For NumPy", "weighbridge extract model.pt embed.weight -o embed.npy"},
                {"Ten rows, raw", "weighbridge extract model.pt embed.weight --slice 0:10 -o rows.bin"}});
}

bool is_npy(const Options& options) {
  if (options.format == Format::BySuffix) return options.output.extension() == ".npy";
  return options.format == Format::Npy;
}

FilePlan plan_extract(const Selection& selection, bool npy) {
  FilePlan plan;
  if (npy) plan.head = serialize_npy_head(selection.dtype, selection.shape);
  plan.total_bytes = plan.head.size() + selection.runs.total_bytes;
  if (selection.runs.total_bytes == 0) return plan;
  plan.steps.push_back({.name = selection.name,
                        .source = selection.source,
                        .runs = selection.runs,
                        .transform = selection.transform,
                        .destination = plan.head.size()});
  return plan;
}

WriteReport write_output(const FilePlan& plan, const Options& options, OutputFolder& folder) {
  const CancelOnSignal cancel;
  WriteOptions write;
  write.cancel = CancelOnSignal::flag();
  const WriteReport report = write_descriptor(plan, folder.create(options.output.filename().string()), write);
  folder.commit();
  return report;
}

void report(const Options& options, const Selection& selection, const WriteReport& write) {
  const std::string output = options.output.string();
  if (!options.input.json) {
    fmt::print("wrote {}: {} {}, {}\n", printable(output), dtype_name(selection.dtype),
               shape_text(selection.shape), size_text(write.bytes_written));
    return;
  }
  Json json = document("extract");
  json["file"] = options.input.file;
  json["tensor"] = tensor_json({selection.name, selection.dtype, selection.shape});
  json["output"] = output;
  json["output_format"] = is_npy(options) ? "npy" : "raw";
  json["output_bytes"] = write.bytes_written;
  print_json(stdout, json);
}

WorkerOptions prepare(const Options& options) {
  if (!options.force) refuse_existing(options.output);
  WorkerOptions worker = worker_for(options.input);
  worker.output = options.output;
  worker.write.overwrite = options.force;
  return worker;
}

int execute(const Options& options, WorkerFiles& files) {
  const Selection selection = open_selection(options.input, options.request, files);
  const FilePlan plan = plan_extract(selection, is_npy(options));
  report(options, selection, write_output(plan, options, files.output_folder()));
  return kOk;
}

}  // namespace

void add_extract(CLI::App& app, Invocation& invocation) {
  add_worker_verb<Options>(app, invocation, "extract", kPurpose, declare, prepare, execute);
}

}  // namespace weighbridge::cli
