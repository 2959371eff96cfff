#include "sandbox/system_calls.hpp"

#include <cerrno>
#include <initializer_list>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/sanitizer.hpp"

namespace weighbridge::sandbox {
namespace {

/// One call that is allowed, or answered with an error, under conditions on its arguments.
struct Rule {
  std::uint32_t action;
  int call;  ///< Negative where the architecture has no such call.
  std::vector<scmp_arg_cmp> conditions = {};
};

using Rules = std::vector<Rule>;

constexpr auto kNumberOfTcgets2 = 0x802C542AU;  // asked by isatty() of newer C libraries
constexpr int kNumberOfCachestat = 451;         // newer than libseccomp

scmp_arg_cmp equals(unsigned argument, std::uint64_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }

/// The bits of `mask` in the argument are exactly `value`.
scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void allow(Rules& rules, std::initializer_list<int> calls) {
  for (const int call : calls) rules.push_back({SCMP_ACT_ALLOW, call});
}

void allow_if(Rules& rules, int call, std::vector<scmp_arg_cmp> conditions) {
  rules.push_back({SCMP_ACT_ALLOW, call, std::move(conditions)});
}

void add_file_calls(Rules& rules) {
  allow(rules, {SCMP_SYS(read),
                SCMP_SYS(pread64),
                SCMP_SYS(readv),
                SCMP_SYS(preadv),
                SCMP_SYS(write),
                SCMP_SYS(pwrite64),
                SCMP_SYS(writev),
                SCMP_SYS(pwritev),
                SCMP_SYS(lseek),
                SCMP_SYS(fstat),
                SCMP_SYS(fstatfs),
                SCMP_SYS(fallocate),
                SCMP_SYS(ftruncate),
                SCMP_SYS(fsync),
                SCMP_SYS(fdatasync),
                SCMP_SYS(copy_file_range),
                SCMP_SYS(fadvise64),
                SCMP_SYS(close),
                SCMP_SYS(dup),
                SCMP_SYS(poll),
                SCMP_SYS(ppoll),
                SCMP_SYS(pwritev2),
                SCMP_SYS(sync_file_range)});
  // fstat() of many C libraries: the empty path with this flag is the descriptor itself.
  allow_if(rules, SCMP_SYS(newfstatat), {equals(3, AT_EMPTY_PATH)});
  for (const int command : {F_DUPFD_CLOEXEC, F_GETFL, F_GETFD}) {
    allow_if(rules, SCMP_SYS(fcntl), {equals(1, static_cast<std::uint64_t>(command))});
  }
  // isatty(); no other ioctl, least of all the one that types into a terminal.
  for (const std::uint64_t request : {std::uint64_t{TCGETS}, std::uint64_t{kNumberOfTcgets2}}) {
    allow_if(rules, SCMP_SYS(ioctl), {equals(1, request)});
  }
}

void add_memory_calls(Rules& rules) {
  allow(rules, {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk)});
  // Nothing that is not code already becomes code.
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
    allow_if(rules, call, {masked(2, PROT_EXEC, 0)});
}

void add_thread_calls(Rules& rules) {
  allow(rules, {SCMP_SYS(futex), SCMP_SYS(rseq), SCMP_SYS(set_robust_list), SCMP_SYS(sched_yield),
                SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(gettid), SCMP_SYS(getpid),
                SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
                SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall)});
  // A thread of this process, in the namespaces that it has; never a process.
  constexpr std::uint64_t kThread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
  constexpr std::uint64_t kNamespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                        CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  allow_if(rules, SCMP_SYS(clone), {masked(0, kThread | kNamespaces, kThread)});
  // abort() and raise(): signals to itself.
  allow_if(rules, SCMP_SYS(tgkill), {equals(0, static_cast<std::uint64_t>(::getpid()))});
}

void add_other_calls(Rules& rules, int channel) {
  allow(rules, {SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
                SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(getrandom)});
  for (const int call : {SCMP_SYS(sendmsg), SCMP_SYS(recvmsg)}) {
    allow_if(rules, call, {equals(0, static_cast<std::uint64_t>(channel))});
  }
  // UndefinedBehaviorSanitizer asks by a pipe of its own whether memory can be read.
  if (kSanitized) allow(rules, {SCMP_SYS(pipe2)});
  // Its own limits may be read, and not set.
  allow_if(rules, SCMP_SYS(prlimit64), {equals(0, 0), equals(2, 0)});
}

/// What libraries try without need, and do without when it fails.
void add_refusals(Rules& rules) {
  const auto refuse = [&rules](int error, std::initializer_list<int> calls) {
    for (const int call : calls) rules.push_back({SCMP_ACT_ERRNO(static_cast<unsigned>(error)), call});
  };
  refuse(ENOSYS, {SCMP_SYS(clone3)});  // its flags lie in memory, unseen by a filter; clone() is tried next
  // The C library looks for the number of processors, OpenSSL for its settings.
  refuse(EACCES, {SCMP_SYS(open), SCMP_SYS(openat)});
  refuse(EPERM, {SCMP_SYS(prctl)});              // names of threads and of memory, for debuggers
  refuse(EPERM, {SCMP_SYS(sysinfo)});            // qsort() asks how much memory there is
  refuse(EPERM, {SCMP_SYS(sched_setaffinity)});  // it could be told of another process
  // A ring would move bytes past this filter: files are read and written by the calls above instead.
  refuse(ENOSYS, {SCMP_SYS(io_uring_setup)});
  // How much of a file is in memory tells about other processes.
  refuse(ENOSYS, {SCMP_SYS(mincore), kNumberOfCachestat});
}

Rules all_rules(int channel) {
  Rules rules;
  add_file_calls(rules);
  add_memory_calls(rules);
  add_thread_calls(rules);
  add_other_calls(rules, channel);
  add_refusals(rules);
  return rules;
}

/// 0, or the negative errno of libseccomp.
int add_rules(scmp_filter_ctx filter, const Rules& rules) {
  for (const Rule& rule : rules) {
    if (rule.call < 0) continue;
    const int failed =
        ::seccomp_rule_add_array(filter, rule.action, rule.call,
                                 static_cast<unsigned>(rule.conditions.size()), rule.conditions.data());
    if (failed != 0) return failed;
  }
  return 0;
}

}  // namespace

Outcome filter_system_calls(int channel) {
  const std::unique_ptr<void, decltype(&::seccomp_release)> filter(::seccomp_init(SCMP_ACT_KILL_PROCESS),
                                                                   &::seccomp_release);
  if (!filter) return Outcome::failed("seccomp_init", ENOSYS);
  // Another architecture's calls have other numbers, and other arguments.
  int failed = ::seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (failed == 0) failed = ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 0);  // a layer of its own
  if (failed == 0) failed = add_rules(filter.get(), all_rules(channel));
  if (failed == 0) failed = ::seccomp_load(filter.get());
  if (failed != 0) return Outcome::failed("seccomp", -failed);
  return Outcome::yes("reading, writing, memory, threads; anything else kills");
}

}  // namespace weighbridge::sandbox
