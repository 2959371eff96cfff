#include <csignal>
#include <cstring>
#include <sstream>

#include <weighbridge/worker.hpp>

#include <fmt/format.h>

#include "sandbox/direct_files.hpp"
#include "sandbox/run.hpp"

namespace weighbridge {
namespace {

/// One line a layer; none of its texts has a tab or a newline.
std::string serialize_layers(const sandbox::LayerReport& report) {
  std::string out;
  for (const SandboxLayer& layer : report) {
    out += fmt::format("{}\t{}\t{}\n", layer.name, layer.held ? 1 : 0, layer.detail);
  }
  return out;
}

std::vector<SandboxLayer> parse_layers(const std::string& text) {
  std::vector<SandboxLayer> layers;
  std::istringstream lines(text);
  for (SandboxLayer layer; std::getline(lines, layer.name, '\t');) {
    std::string held;
    std::getline(lines, held, '\t');
    std::getline(lines, layer.detail);
    layer.held = held == "1";
    layers.push_back(layer);
  }
  return layers;
}

void check_memory(std::uint64_t bytes) {
  if (bytes >= kLeastWorkerMemory) return;
  throw Error(ErrorCode::InvalidArgument,
              fmt::format("{} bytes of memory are too few to read a file with; at least {} are needed", bytes,
                          kLeastWorkerMemory));
}

Error stopped(ErrorCode code, std::string_view why) {
  return {code, fmt::format("the process that read the input was stopped: {}", why)};
}

}  // namespace

WorkerFiles::~WorkerFiles() = default;

WorkerResult run_worker(const WorkerOptions& options, const std::function<int(WorkerFiles&)>& work) {
  check_memory(options.memory_bytes);
  if (options.sandbox != SandboxMode::Off) {
    return sandbox::run_isolated(options, sandbox::LayerSet::all(),
                                 [&work](WorkerFiles& files, const auto&) { return work(files); });
  }
  sandbox::DirectFiles files(options);
  WorkerResult result;
  result.exit_code = work(files);
  result.bytes = files.take_result();
  return result;
}

std::optional<Error> worker_error(const WorkerResult& result) {
  switch (result.signal) {
    case 0:
      return std::nullopt;
    case SIGSYS:
      return stopped(ErrorCode::WorkerStopped,
                     "a forbidden system call (sandbox). The file may be an attack on this program itself");
    case SIGBUS:
      return stopped(ErrorCode::IoError, "the input changed while it was read, or could not be read");
    case SIGXCPU:
      return stopped(ErrorCode::LimitExceeded, "it took more processor time than it may");
    case SIGKILL:
      return stopped(ErrorCode::IoError, "it was killed, by the system for want of memory or by somebody");
    default:
      return stopped(ErrorCode::WorkerStopped,
                     fmt::format("it crashed ({}). Nothing was written", ::strsignal(result.signal)));
  }
}

std::vector<SandboxLayer> probe_sandbox() {
  const WorkerResult result = sandbox::run_isolated(
      {}, sandbox::LayerSet::all(), [](WorkerFiles& files, const sandbox::LayerReport& report) {
        files.put_result(serialize_layers(report));
        return 0;
      });
  if (const auto error = worker_error(result)) throw Error(*error);
  return parse_layers(result.bytes);
}

}  // namespace weighbridge
