#include "sandbox/run.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <new>
#include <optional>
#include <utility>

#include <weighbridge/error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/broker.hpp"
#include "sandbox/channel.hpp"
#include "sandbox/lockdown.hpp"
#include "sandbox/remote_files.hpp"
#include "sandbox/signals.hpp"

namespace weighbridge::sandbox {
namespace {

constexpr int kFailed = 1;  // the reason is in a message

/// All that the child needs from its parent.
struct Start {
  const WorkerOptions& options;
  LayerSet layers;
  const Channel& channel;
  int empty;   ///< Becomes standard input.
  int broker;  ///< The parent's process number.
};

void refuse_missing(const LayerReport& report) {
  for (const SandboxLayer& layer : report) {
    if (layer.held) continue;
    throw Error(ErrorCode::IoError,
                fmt::format("this system does not give the whole sandbox that is required: {}: {}",
                            layer.name, layer.detail),
                layer.name, std::nullopt, EPERM);
  }
}

int do_work(const Start& start, const Work& work) {
  const LayerReport report = lock_down({.layers = start.layers,
                                        .channel = start.channel.descriptor(),
                                        .empty = start.empty,
                                        .broker = start.broker,
                                        .bounds = bounds_for(start.options, 0)});
  if (start.options.sandbox == SandboxMode::Require) refuse_missing(report);
  RemoteFiles files(start.options, start.channel);
  const int code = work(files, report);
  if (std::fflush(stdout) != 0) throw Error::from_errno(errno, "write", "standard output");
  return code;
}

void tell(const Channel& channel, Request kind, std::string text = {}) noexcept {
  try {
    channel.send(serialize({.kind = kind, .text = std::move(text)}));
  } catch (...) {  // the broker is gone, or there is no memory even for this
    ::raise(SIGKILL);
  }
}

/// Nothing that the parent registered for its own end runs here.
[[noreturn]] void become_worker(const Start& start, const Work& work) {
  int code = kFailed;
  try {
    code = do_work(start, work);
  } catch (const Error& error) {
    tell(start.channel, Request::Failure, serialize_error(error));
  } catch (const std::bad_alloc&) {
    tell(start.channel, Request::OutOfMemory);
  } catch (const std::exception& error) {
    tell(start.channel, Request::Failure, serialize_error(Error(ErrorCode::IoError, error.what())));
  }
  std::fflush(stderr);
  ::_exit(code);
}

/// A child that never outlives this object.
class Child {
 public:
  explicit Child(pid_t process) noexcept : process_(process) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }

  /// Says how it ended. A worker that has left the channel is about to end; one that only pretends
  /// to is ended here.
  WorkerResult finish() {
    const auto status = end();
    if (!status) throw Error::from_errno(errno, "wait for", "the worker");
    if (WIFSIGNALED(*status)) return {.exit_code = 0, .signal = WTERMSIG(*status)};
    return {.exit_code = WEXITSTATUS(*status), .signal = 0};
  }

 private:
  std::optional<int> end() noexcept {
    if (process_ == kNone) return std::nullopt;
    const pid_t process = std::exchange(process_, kNone);
    ::kill(process, SIGKILL);
    int status = 0;
    while (::waitpid(process, &status, 0) < 0) {
      if (errno != EINTR) return std::nullopt;
    }
    return status;
  }

  static constexpr pid_t kNone = 0;
  pid_t process_;
};

}  // namespace

WorkerResult run_isolated(const WorkerOptions& options, LayerSet layers, const Work& work) {
  const io::Descriptor empty(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!empty) throw Error::from_errno(errno, "open", "/dev/null");
  auto [own_end, worker_end] = Channel::open_pair();
  const HeldSignals signals;
  std::fflush(nullptr);  // or both processes would write it
  const int self = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) throw Error::from_errno(errno, "start", "the worker");
  if (process == 0) {
    signals.release();
    become_worker({options, layers, worker_end, empty.get(), self}, work);
  }
  Child worker(process);
  worker_end = Channel(io::Descriptor());
  Broker broker(options, own_end, process);
  do {
    signals.wait_for(own_end.descriptor(), process);
  } while (broker.serve_next());
  WorkerResult result = worker.finish();
  result.bytes = broker.take_result();
  return result;
}

}  // namespace weighbridge::sandbox
