#include "sandbox/tracer.hpp"

#include <cerrno>
#include <csignal>
#include <set>
#include <stdexcept>
#include <system_error>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weighbridge::sandbox::test {
namespace {

constexpr int kSystemCallStop = SIGTRAP | 0x80;

/// All processes of one run, seen from outside.
class Tracer {
 public:
  Tracer(pid_t broker, Victim victim, int call) : broker_(broker), victim_(victim), left_(call) {}

  bool run() {
    while (true) {
      int status = 0;
      const pid_t process = ::waitpid(-1, &status, __WALL);
      if (process < 0 && errno == ECHILD) return killed_;
      if (process < 0) throw std::system_error(errno, std::generic_category(), "waitpid");
      if (WIFSTOPPED(status)) handle_stop(process, status);
    }
  }

 private:
  void handle_stop(pid_t process, int status) {
    const bool is_new = seen_.insert(process).second;
    const int signal = WSTOPSIG(status);
    if (signal == kSystemCallStop && is_victim(process) && count_call()) {
      ::kill(process, SIGKILL);
      killed_ = true;
      return;
    }
    const bool is_trace_stop =
        signal == kSystemCallStop || (status >> 16) != 0 || (is_new && signal == SIGSTOP);
    ::ptrace(PTRACE_SYSCALL, process, 0, is_trace_stop ? 0 : signal);
  }

  [[nodiscard]] bool is_victim(pid_t process) const {
    return (process == broker_) == (victim_ == Victim::Broker);
  }

  /// Every call stops twice, on its way in and out. True when this is the one.
  bool count_call() {
    inside_ = !inside_;
    return inside_ && --left_ == 0;
  }

  pid_t broker_;
  Victim victim_;
  int left_;
  bool inside_ = false;
  bool killed_ = false;
  std::set<pid_t> seen_;
};

pid_t start_stopped(const std::function<void()>& program) {
  const pid_t process = ::fork();
  if (process != 0) return process;
  ::ptrace(PTRACE_TRACEME, 0, 0, 0);
  ::raise(SIGSTOP);
  try {
    program();
  } catch (const std::exception&) {
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

bool can_trace() {
  const pid_t process = start_stopped([] {});
  int status = 0;
  ::waitpid(process, &status, 0);
  const bool traced = WIFSTOPPED(status) && ::ptrace(PTRACE_SETOPTIONS, process, 0, PTRACE_O_EXITKILL) == 0;
  ::kill(process, SIGKILL);
  ::waitpid(process, &status, 0);
  return traced;
}

bool run_and_kill(const std::function<void()>& program, Victim victim, int call) {
  const pid_t broker = start_stopped(program);
  int status = 0;
  ::waitpid(broker, &status, 0);
  constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE |
                            PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
  if (!WIFSTOPPED(status) || ::ptrace(PTRACE_SETOPTIONS, broker, 0, kOptions) != 0) {
    throw std::runtime_error("the process cannot be traced");
  }
  ::ptrace(PTRACE_SYSCALL, broker, 0, 0);
  return Tracer(broker, victim, call).run();
}

}  // namespace weighbridge::sandbox::test
