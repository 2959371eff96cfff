// A process without rights, for reading what cannot be trusted.
//
//   weighbridge::WorkerOptions options;
//   options.inputs = {"model.pt"};
//   const auto result = weighbridge::run_worker(options, [](weighbridge::WorkerFiles& files) {
//     const auto checkpoint = weighbridge::read_checkpoint(files.open_input());
//     files.put_result(describe(checkpoint));
//     return 0;
//   });
//
// The calling process, the broker, forks; the child, the worker, gives up every right that it can
// before the first byte of input is read. It cannot open, connect, execute or signal anything: the
// broker opens its files, and only those that the options name, those beside them, and new ones
// for the output. docs/security.md says what each layer holds.
//
// Linux only. The functions here are for programs that have no other threads at that moment.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/export.hpp>
#include <weighbridge/folder.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge {

/// What is done where the system does not offer every layer.
enum class SandboxMode : std::uint8_t {
  Best,     ///< As many layers as there are.
  Require,  ///< All of them, or an error before anything is read.
  Off,      ///< No other process: the work is done by the caller's own.
};

/// With less a worker could not even say that it has too little.
inline constexpr std::uint64_t kLeastWorkerMemory = std::uint64_t{64} << 20;

struct WorkerOptions {
  SandboxMode sandbox = SandboxMode::Best;
  std::vector<std::filesystem::path> inputs = {};  ///< All files that the worker may ask for by number.
  ReadMode mode = ReadMode::Auto;
  /// The main file of the output; empty: none is written. Every file of the output stands in its
  /// folder and has a name that starts with this one's, less its suffix.
  std::filesystem::path output = {};
  WriteOptions write = {};  ///< Of the output: `overwrite` and `durability`.

  std::uint64_t memory_bytes = std::uint64_t{4} << 30;  ///< At least kLeastWorkerMemory.
  std::uint64_t cpu_seconds = 0;   ///< Of all threads; 0: 5 minutes, and 1 second for each MiB of input.
  std::uint64_t output_bytes = 0;  ///< One file; 0: four times the input and 2 GiB.
  std::uint64_t result_bytes = std::uint64_t{64} << 20;  ///< Of put_result, all together.
};

/// The files of a worker, as the worker sees them.
class WB_EXPORT WorkerFiles {
 public:
  WorkerFiles() = default;
  WorkerFiles(const WorkerFiles&) = delete;
  WorkerFiles& operator=(const WorkerFiles&) = delete;
  virtual ~WorkerFiles();

  /// An input, by its place in the options. Throws what open_file() throws.
  [[nodiscard]] virtual SourcePtr open_input(std::size_t number = 0) = 0;
  /// The folder of an input, without its hidden files. Valid as long as this object.
  [[nodiscard]] virtual InputFolderPtr input_folder(std::size_t number = 0) = 0;
  /// The name of an input in its folder, for OpenOptions::input_name.
  [[nodiscard]] virtual std::string input_name(std::size_t number = 0) const = 0;
  /// The folder of the output. Throws InvalidArgument when the options name none.
  [[nodiscard]] virtual OutputFolder& output_folder() = 0;
  /// Appends to what the broker gets from run_worker(). Throws LimitExceeded.
  virtual void put_result(std::string_view bytes) = 0;
};

/// What became of a worker.
struct WorkerResult {
  int exit_code = 0;       ///< What the work returned.
  int signal = 0;          ///< The signal that killed it; 0: none did.
  std::string bytes = {};  ///< Of put_result: from an untrusted process, and worth no more than the input.
};

/// Runs `work` in a worker and waits for it. SIGHUP, SIGINT and SIGTERM are handed on to the worker
/// meanwhile. Standard output and error are the caller's own; buffered output is written before this returns,
/// standard input is empty. What the worker created and did not commit is gone, whatever ended it.
/// An Error (or std::bad_alloc) that leaves `work` is thrown here. Throws IoError when no process can be
/// had or, with SandboxMode::Require, a layer is missing; LimitExceeded for a worker that asks for too much;
/// InvalidArgument for too little memory.
WB_EXPORT WorkerResult run_worker(const WorkerOptions& options, const std::function<int(WorkerFiles&)>& work);

/// What the signal that killed a worker means; nothing when none did.
WB_EXPORT std::optional<Error> worker_error(const WorkerResult& result);

/// One thing that a worker gives up.
struct SandboxLayer {
  std::string name;    ///< e.g. "landlock".
  bool held = false;   ///< Whether this system lets it be given up.
  std::string detail;  ///< What exactly holds, or why nothing does.
};

/// All layers, in the order in which they are applied; found out by a worker that tries them.
WB_EXPORT std::vector<SandboxLayer> probe_sandbox();

}  // namespace weighbridge
