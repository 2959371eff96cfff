// Ends a process at an exact moment: as it enters or leaves its n-th system call.
#pragma once

#include <csignal>
#include <functional>
#include <optional>

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weighbridge::test {

/// Runs `action`, which starts no threads, in a process of its own and kills it when it enters or leaves its
/// `stop`-th system call. Gives whether it was killed, or nothing where processes cannot be watched.
inline std::optional<bool> killed_at(int stop, const std::function<void()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(3);
    ::raise(SIGSTOP);
    try {
      action();
    } catch (...) {
      ::_exit(2);
    }
    ::_exit(0);
  }
  int status = 0;
  for (int seen = 0; ::waitpid(child, &status, 0) == child && WIFSTOPPED(status); ++seen) {
    if (seen == stop) ::kill(child, SIGKILL);
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 3) return std::nullopt;
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status);
}

}  // namespace weighbridge::test
