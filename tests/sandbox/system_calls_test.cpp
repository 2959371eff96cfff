// The filter of system calls by itself: what it kills, what it refuses, and what goes on working.
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/attempt.hpp"

namespace weighbridge::sandbox::test {
namespace {

constexpr LayerSet kFilter = {Layer::NoNewPrivileges, Layer::SystemCalls};

/// A call that ends the worker under the filter, and does not without it.
struct Forbidden {
  const char* name;
  int (*attempt)();
};

void PrintTo(const Forbidden& forbidden, std::ostream* out) { *out << forbidden.name; }

/// A number by itself: its arguments are nonsense, which a call that is let through answers with an error.
template <long kNumber>
int call() {
  return outcome(::syscall(kNumber, -1, -1, -1, -1, -1, -1));
}

int make_socket() { return outcome(::socket(AF_UNIX, SOCK_STREAM, 0)); }

int execute() {
  std::array<char*, 1> none{nullptr};
  return outcome(::execve("/does/not/exist", none.data(), none.data()));
}

int fork_child() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  return outcome(::waitpid(child, nullptr, 0));
}

int vfork_child() {
  const pid_t child = ::vfork();
  if (child == 0) ::_exit(0);
  return outcome(::waitpid(child, nullptr, 0));
}

int trace_broker() { return outcome(::ptrace(PTRACE_SEIZE, ::getppid(), 0, 0)); }
int signal_broker() { return outcome(::kill(::getppid(), 0)); }
int signal_thread_of_broker() { return outcome(::syscall(SYS_tgkill, 1, 1, 0)); }

int map_code() {
  return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
             ? errno
             : 0;
}

int turn_into_code() {
  void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return outcome(::mprotect(memory, 4096, PROT_READ | PROT_EXEC));
}

int type_into_terminal() {
  char letter = 'x';
  return outcome(::ioctl(-1, TIOCSTI, &letter));
}

int look_at_path() { return outcome(::syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", nullptr, 0)); }
int start_thread_in_namespace() {
  return outcome(::syscall(SYS_clone, CLONE_THREAD | CLONE_NEWUSER, 0, 0, 0, 0));
}
int lift_limits() { return outcome(::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, -1, 0)); }
int talk_elsewhere() { return outcome(::syscall(SYS_sendmsg, 1, nullptr, 0)); }
int send_signals_by_descriptor() { return outcome(::fcntl(0, F_SETOWN, ::getppid())); }

constexpr Forbidden kForbidden[] = {
    {"socket", make_socket},
    {"connect", call<SYS_connect>},
    {"execve", execute},
    {"execveat", call<SYS_execveat>},
    {"fork", fork_child},
    {"vfork", vfork_child},
    {"ptrace", trace_broker},
    {"kill", signal_broker},
    {"tgkill of others", signal_thread_of_broker},
    {"mmap of code", map_code},
    {"mprotect to code", turn_into_code},
    {"pkey_mprotect", call<SYS_pkey_mprotect>},
    {"ioctl that types", type_into_terminal},
    {"stat of a path", look_at_path},
    {"clone with namespaces", start_thread_in_namespace},
    {"setting limits", lift_limits},
    {"sendmsg elsewhere", talk_elsewhere},
    {"fcntl that signals", send_signals_by_descriptor},
    {"openat2", call<SYS_openat2>},
    {"process_vm_readv", call<SYS_process_vm_readv>},
    {"process_vm_writev", call<SYS_process_vm_writev>},
    {"memfd_create", call<SYS_memfd_create>},
    {"userfaultfd", call<SYS_userfaultfd>},
    {"bpf", call<SYS_bpf>},
    {"perf_event_open", call<SYS_perf_event_open>},
    {"keyctl", call<SYS_keyctl>},
    {"unshare", call<SYS_unshare>},
    {"setns", call<SYS_setns>},
    {"mount", call<SYS_mount>},
    {"chroot", call<SYS_chroot>},
    {"pidfd_open", call<SYS_pidfd_open>},
    {"linkat", call<SYS_linkat>},
    {"renameat2", call<SYS_renameat2>},
    {"unlinkat", call<SYS_unlinkat>},
    {"fchmod", call<SYS_fchmod>},
    {"statx", call<SYS_statx>},
    {"readlinkat", call<SYS_readlinkat>},
    {"personality", call<SYS_personality>},
    {"add_key", call<SYS_add_key>},
    {"shmget", call<SYS_shmget>},
};

class ForbiddenCall : public testing::TestWithParam<Forbidden> {};

TEST_P(ForbiddenCall, EndsTheWorker) {
  WB_SKIP_WITHOUT_LAYER(EXPECT_EQ(attempt_under(kFilter, GetParam().attempt).signal, SIGSYS);
                        EXPECT_EQ(attempt_under({}, GetParam().attempt).signal, 0)
                        << "the attempt must be able to fail otherwise";)
}

INSTANTIATE_TEST_SUITE_P(SystemCallsLayer, ForbiddenCall, testing::ValuesIn(kForbidden),
                         [](const auto& tested) {
                           std::string name = tested.param.name;
                           for (char& c : name)
                             c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

TEST(SystemCallsLayer, RefusesToOpen) {
  WB_SKIP_WITHOUT_LAYER(
      expect_error(kFilter, [] { return outcome(::open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }, EACCES);)
}

TEST(SystemCallsLayer, RefusesToNameThreads) {
  WB_SKIP_WITHOUT_LAYER(
      expect_error(kFilter, [] { return outcome(::prctl(PR_SET_NAME, "x", 0, 0, 0)); }, EPERM);)
}

TEST(SystemCallsLayer, KnowsNoRings) {
  const auto set_up = [] {
    std::array<std::uint32_t, 30> parameters{};  // struct io_uring_params
    return outcome(::syscall(SYS_io_uring_setup, 1, parameters.data()));
  };
  WB_SKIP_WITHOUT_LAYER(expect_error(kFilter, set_up, ENOSYS);)
}

TEST(SystemCallsLayer, LetsThreadsRun) {
  const auto count = [] {
    int sum = 0;
    std::mutex mutex;
    {
      std::vector<std::jthread> threads;
      for (int i = 1; i <= 8; ++i) {
        threads.emplace_back([&, i] {
          const std::vector<char> memory(1 << 20);  // from an arena of the thread's own
          const std::lock_guard lock(mutex);
          sum += i + memory.front();
        });
      }
    }
    return sum;
  };
  WB_SKIP_WITHOUT_LAYER(EXPECT_EQ(attempt_under(kFilter, count).exit_code, 36);)
}

TEST(SystemCallsLayer, LetsTheWorkerAbort) {
  WB_SKIP_WITHOUT_LAYER(EXPECT_EQ(attempt_under(kFilter, []() -> int { std::abort(); }).signal, SIGABRT);)
}

TEST(SystemCallsLayer, LetsExceptionsFly) {
  const auto fly = [] {
    try {
      throw std::runtime_error("x");
    } catch (const std::exception&) {
      return 7;
    }
  };
  WB_SKIP_WITHOUT_LAYER(EXPECT_EQ(attempt_under(kFilter, fly).exit_code, 7);)
}

TEST(AllLayers, EndAWorkerThatOpensASocket) {
  WorkerOptions options;
  const WorkerResult result = run_worker(options, [](WorkerFiles&) { return make_socket(); });
  const auto error = worker_error(result);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::WorkerStopped);
  EXPECT_NE(std::string(error->what()).find("a forbidden system call (sandbox)"), std::string::npos);
}

}  // namespace
}  // namespace weighbridge::sandbox::test
