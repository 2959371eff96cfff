// Verbs that read untrusted files do it in a process without rights.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <weighbridge/worker.hpp>

#include "cli/command.hpp"
#include "cli/options.hpp"

namespace weighbridge::cli {

/// --sandbox, --no-sandbox and --max-memory.
void add_sandbox(CLI::App& app, WorkerOptions& worker);

/// The file itself, or the one that a folder stands for. Looks at names only. Throws UnknownFormat.
std::filesystem::path file_to_read(const std::string& input);

/// What a verb needs that reads one file and writes none.
WorkerOptions worker_for(const Input& input);

/// Ends this process by the signal that ended a worker where people expect that: an interrupt, a closed
/// pipe.
void end_with_worker(const WorkerResult& result);

/// For OpenOptions::hdf5: libhdf5 for a worker; null where the work is done by this process.
const Hdf5Library* hdf5_for(const WorkerOptions& worker);

/// Runs `work` in a worker, where its errors are reported. A signal that ended the worker ends this process
/// too where people expect that: an interrupt, a closed pipe.
WorkerResult work_in_worker(const Invocation& invocation, const WorkerOptions& options,
                            const std::function<int(WorkerFiles&)>& work);

/// The same, where the exit code is all that is wanted.
int run_in_worker(const Invocation& invocation, const WorkerOptions& options,
                  const std::function<int(WorkerFiles&)>& work);

/// As add_verb, for verbs whose `execute` runs in a worker; `prepare` runs before there is one.
template <class Options>
CLI::App& add_worker_verb(CLI::App& app, Invocation& invocation, std::string_view name,
                          std::string_view purpose, void (*declare)(CLI::App&, Options&),
                          WorkerOptions (*prepare)(const Options&),
                          int (*execute)(const Options&, WorkerFiles&)) {
  CLI::App& verb = add_named(app, name, purpose);
  const auto options = std::make_shared<Options>();
  declare(verb, *options);
  add_sandbox(verb, options->input.worker);
  when_chosen(verb, [options, prepare, execute, &invocation] {
    invocation.run = [options, prepare, execute, &invocation] {
      return run_in_worker(invocation, prepare(*options),
                           [&](WorkerFiles& files) { return execute(*options, files); });
    };
    invocation.file = options->input.file;
    invocation.errors = options->input.json ? stdout : nullptr;
  });
  return verb;
}

}  // namespace weighbridge::cli
