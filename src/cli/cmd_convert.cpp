#include <algorithm>
#include <chrono>
#include <memory>

#include <weighbridge/text.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/convert_options.hpp"
#include "cli/convert_report.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Converts a checkpoint to safetensors. Nothing in the input is executed; every tensor keeps its bytes, "
    "dtype and shape, and the output appears under its name only when it is complete and verified. What is "
    "no tensor is listed, and kept as JSON with --sidecar.";

void refuse_companions(const ConvertCommand& command) {
  const bool optimizer = command.options.open.optimizer == OptimizerPolicy::Separate;
  if (!command.options.sidecar && !optimizer) return;
  throw Error(ErrorCode::InvalidArgument,
              fmt::format("{} needs an output with a name, not standard output",
                          command.options.sidecar ? "--sidecar" : "--optimizer separate"));
}

// Neither is what anybody means, even with --force: the input would be gone, or a file far from here.
void refuse_odd_output(const std::filesystem::path& output, const std::filesystem::path& input) {
  std::error_code ignored;  // a path that cannot be looked at is reported by the write itself
  if (std::filesystem::is_symlink(std::filesystem::symlink_status(output, ignored))) {
    throw Error(
        ErrorCode::InvalidArgument,
        fmt::format("output '{}' is a symbolic link; name the file itself", printable(output.string())),
        output.string());
  }
  if (std::filesystem::equivalent(input, output, ignored)) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("output '{}' is the input; name another with -o", printable(output.string())),
                output.string());
  }
}

// Before anything is read: a mistake here must not cost the time of a large input.
void check_output(const ConvertCommand& command) {
  if (command.to_stdout()) {
    refuse_companions(command);
    if (!command.dry_run) refuse_terminal("send it to a file or a pipe");
    return;
  }
  refuse_odd_output(command.output_path(), command.input.file);
  if (!command.template_file.empty()) refuse_odd_output(command.output_path(), command.template_file);
  if (command.options.write.overwrite) return;
  if (!may_be_sharded(command.input.file, command.options)) refuse_existing(command.output_path());
  if (command.options.sidecar) refuse_existing(command.path_beside(sidecar_file_name(command.output_name())));
  if (command.options.external_data) {
    refuse_existing(command.path_beside(onnx_data_file_name(command.output_name())));
  }
}

// What only the plan knows.
void check_files(const ConvertCommand& command, const Conversion& conversion) {
  if (!command.to_stdout() || conversion.files.size() == 1) return;
  throw Error(
      ErrorCode::InvalidArgument,
      fmt::format("the output would be {} files, standard output can take one", conversion.files.size()));
}

// Shards and the optimizer's file are known by the plan alone; they are refused before anything is written.
Error with_hint(const Error& error) {
  if (error.code() != ErrorCode::OutputExists) return error;
  return {error.code(),
          fmt::format("output '{}' exists already; --force replaces it", printable(error.subject())),
          error.subject()};
}

ConvertReport write_output(const ConvertCommand& command, const Conversion& conversion,
                           ConvertOptions options, WorkerFiles& files) {
  options.write.cancel = CancelOnSignal::flag();
  try {
    if (!command.to_stdout()) return write_conversion(conversion, files.output_folder(), options);
    ConvertReport report;
    report.write = write_descriptor(conversion.files.front().plan, STDOUT_FILENO, options.write);
    report.files = {report.write};
    report.findings = conversion.checkpoint.findings;
    report.cast_overflows = report_casts(conversion.checkpoint, report.findings);
    return report;
  } catch (const Error& error) {
    clear_progress(command.progress, command.quiet);
    throw with_hint(error);
  } catch (...) {
    clear_progress(command.progress, command.quiet);
    throw;
  }
}

bool grows(const OpenOptions& options) {
  return options.dequantize || options.quantized == QuantizedPolicy::Dequantize;
}

// Above what blocks become at most as F32: the bound of the plan, which is lower, speaks first.
std::uint64_t bytes_of_numbers(const std::filesystem::path& input) {
  std::error_code ignored;  // what cannot be looked at is reported when it is opened
  const std::uintmax_t bytes = std::filesystem::file_size(input, ignored);
  return ignored ? 0 : 22 * std::min<std::uintmax_t>(bytes, UINT64_MAX / 64) + (std::uint64_t{2} << 30);
}

// All that looks at paths happens here: the worker cannot.
WorkerOptions prepare(ConvertCommand& command) {
  command.output = command.to_stdout() ? "-" : command.output_path().string();
  check_output(command);
  constexpr std::uint64_t kBesideTheTensors = std::uint64_t{1} << 30;  // a header, or a whole sidecar
  WorkerOptions worker = command.input.worker;
  worker.inputs = {file_to_read(command.input.file)};
  if (!command.template_file.empty()) worker.inputs.emplace_back(command.template_file);
  command.options.input_name = worker.inputs.front().filename().string();
  if (!command.to_stdout()) worker.output = command.output_path();
  worker.write = command.options.write;
  const std::uint64_t most = command.options.open.limits.output_bytes;
  if (most == 0 && grows(command.options.open)) worker.output_bytes = bytes_of_numbers(worker.inputs.front());
  if (most != 0) worker.output_bytes = most + std::min(kBesideTheTensors, UINT64_MAX - most);
  return worker;
}

int execute(const ConvertCommand& command, WorkerFiles& files) {
  ConvertOptions options = convert_options(command);
  options.open.folder = files.input_folder();
  if (!command.template_file.empty()) {
    options.template_file = files.open_input(1);
    options.template_folder = files.input_folder(1);
  }
  const Conversion conversion = plan_conversion(files.open_input(), command.output_name(), options);
  check_files(command, conversion);
  if (command.dry_run) {
    report_plan(command, conversion);
    return kOk;
  }
  const CancelOnSignal cancel;  // until the report: who reads one knows that the output stands
  const auto start = std::chrono::steady_clock::now();
  const ConvertReport report = write_output(command, conversion, options, files);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  report_conversion(command, conversion, report, elapsed.count());
  return kOk;
}

}  // namespace

void add_convert(CLI::App& app, Invocation& invocation) {
  CLI::App& verb = add_named(app, "convert", kPurpose);
  const auto command = std::make_shared<ConvertCommand>();
  declare_convert(verb, *command);
  when_chosen(verb, [command, &invocation] {
    invocation.run = [command, &invocation] {
      return run_in_worker(invocation, prepare(*command),
                           [&](WorkerFiles& files) { return execute(*command, files); });
    };
    invocation.file = command->input.file;
    invocation.errors = command->input.json ? command->report_stream() : nullptr;
  });
}

}  // namespace weighbridge::cli
