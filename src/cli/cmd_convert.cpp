#include <chrono>
#include <memory>

#include <weighbridge/text.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/convert_options.hpp"
#include "cli/convert_report.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Converts a checkpoint to safetensors. Nothing in the input is executed; every tensor keeps its bytes, "
    "dtype and shape, and the output appears under its name only when it is complete and verified. What is "
    "no tensor is listed, and kept as JSON with --sidecar.";

// Before anything is read: a mistake here must not cost the time of a large input.
void check_output(const ConvertCommand& command) {
  if (command.to_stdout()) {
    if (command.options.sidecar) {
      throw Error(ErrorCode::InvalidArgument, "--sidecar needs an output with a name, not standard output");
    }
    if (!command.dry_run) refuse_terminal("send it to a file or a pipe");
    return;
  }
  if (command.options.write.overwrite) return;
  refuse_existing(command.output_path());
  if (command.options.sidecar) refuse_existing(command.sidecar_path());
}

ConvertReport write_output(const ConvertCommand& command, const Conversion& conversion,
                           ConvertOptions options) {
  const CancelOnSignal cancel;
  options.write.cancel = CancelOnSignal::flag();
  try {
    if (!command.to_stdout()) {
      const auto folder = open_output_folder(command.output_path().parent_path(), options.write);
      return write_conversion(conversion, *folder, options);
    }
    ConvertReport report;
    report.write = write_descriptor(conversion.files.front().plan, STDOUT_FILENO, options.write);
    report.findings = conversion.checkpoint.findings;
    return report;
  } catch (...) {
    clear_progress(command.progress, command.quiet);
    throw;
  }
}

int execute(const ConvertCommand& command) {
  check_output(command);
  ConvertOptions options = convert_options(command);
  const std::filesystem::path input = command.input.file;
  options.open.folder = open_input_folder(input.parent_path(), options.open.mode);
  const Conversion conversion = plan_conversion(open_file(input, options.open.mode),
                                                command.output_path().filename().string(), options);
  if (command.dry_run) {
    report_plan(command, conversion);
    return kOk;
  }
  const auto start = std::chrono::steady_clock::now();
  const ConvertReport report = write_output(command, conversion, options);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  report_conversion(command, conversion, report, elapsed.count());
  return kOk;
}

}  // namespace

void add_convert(CLI::App& app, Invocation& invocation) {
  CLI::App& verb = *app.add_subcommand("convert", kPurpose);
  const auto command = std::make_shared<ConvertCommand>();
  declare_convert(verb, *command);
  verb.callback([command, &invocation] {
    invocation.run = [command] { return execute(*command); };
    invocation.file = command->input.file;
    invocation.errors = command->input.json ? command->report_stream() : nullptr;
  });
}

}  // namespace weighbridge::cli
