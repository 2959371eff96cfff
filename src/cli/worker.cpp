#include "cli/worker.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <new>

#include <weighbridge/checkpoint.hpp>

#include <CLI/App.hpp>
#include <fmt/format.h>

#include "cli/errors.hpp"
#include "cli/terminal.hpp"
#include "hdf5/hdf5.hpp"

namespace weighbridge::cli {
namespace {

/// Signals that are the user's own doing, or the shell's: the worker's end is this program's.
bool is_shared(int signal) {
  constexpr std::array kShared = {SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};
  return std::ranges::find(kShared, signal) != kShared.end();
}

int work_in_bounds(const WorkerOptions& options, const std::function<int(WorkerFiles&)>& work,
                   WorkerFiles& files) {
  try {
    return work(files);
  } catch (const std::bad_alloc&) {
    if (options.sandbox == SandboxMode::Off) throw;
    throw Error(ErrorCode::IoError,
                fmt::format("out of memory; reading may take {}, and more with --max-memory",
                            size_text(options.memory_bytes)));
  }
}

}  // namespace

void add_sandbox(CLI::App& app, WorkerOptions& worker) {
  CLI::Option* mode = add_choice<SandboxMode>(
      app, "--sandbox", worker.sandbox,
      {{"best", SandboxMode::Best}, {"require", SandboxMode::Require}, {"off", SandboxMode::Off}},
      "Read the file in a process without rights: with all layers that this system has, only if it has "
      "all, or not. Default: best.");
  app.add_flag_callback(
         "--no-sandbox", [&worker] { worker.sandbox = SandboxMode::Off; }, "The same as --sandbox off.")
      ->excludes(mode);
  add_value(app, "--max-memory", worker.memory_bytes, "BYTES",
            "Memory that the process which reads the file may take. Default: 4 GiB.");
}

std::filesystem::path file_to_read(const std::string& input) {
  std::error_code ignored;  // what cannot be looked at is reported when it is opened
  if (!std::filesystem::is_directory(input, ignored)) return input;
  const std::filesystem::path folder = checkpoint_folder(input);
  return folder / find_input(*open_input_folder(folder)).name;
}

WorkerOptions worker_for(const Input& input) {
  WorkerOptions options = input.worker;
  options.inputs = {file_to_read(input.file)};
  return options;
}

const Hdf5Library* hdf5_for(const WorkerOptions& worker) {
  return worker.sandbox == SandboxMode::Off ? nullptr : hdf5_library();
}

void end_with_worker(const WorkerResult& result) {
  if (!is_shared(result.signal)) return;
  std::signal(result.signal, SIG_DFL);
  std::raise(result.signal);
}

WorkerResult work_in_worker(const Invocation& invocation, const WorkerOptions& options,
                            const std::function<int(WorkerFiles&)>& work) {
  WorkerResult result = run_worker(options, [&](WorkerFiles& files) {
    return guarded(invocation, [&] { return work_in_bounds(options, work, files); });
  });
  end_with_worker(result);
  if (const auto error = worker_error(result)) throw Error(*error);
  return result;
}

int run_in_worker(const Invocation& invocation, const WorkerOptions& options,
                  const std::function<int(WorkerFiles&)>& work) {
  return work_in_worker(invocation, options, work).exit_code;
}

}  // namespace weighbridge::cli
