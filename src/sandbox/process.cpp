#include "sandbox/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weighbridge::sandbox {
namespace {

/// Closes [first, last], one by one on kernels before 5.9.
bool close_all(unsigned first, unsigned last) noexcept {
  if (first > last) return true;
#ifdef SYS_close_range
  if (::syscall(SYS_close_range, first, last, 0U) == 0) return true;
  if (errno != ENOSYS) return false;
#endif
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  const auto end = static_cast<unsigned>(std::min<rlim_t>(limit.rlim_max, 1U << 20U));
  for (unsigned descriptor = first; descriptor <= last && descriptor < end; ++descriptor) {
    ::close(static_cast<int>(descriptor));
  }
  return true;
}

bool is_kept(std::string_view variable) noexcept {
  constexpr std::array<std::string_view, 2> kKept = {"TERM=", "NO_COLOR="};
  return std::ranges::any_of(kKept, [=](std::string_view name) { return variable.starts_with(name); });
}

}  // namespace

Outcome close_others(int keep, int empty) {
  if (::dup2(empty, STDIN_FILENO) < 0) return Outcome::failed("dup2", errno);
  const auto kept = static_cast<unsigned>(keep);
  if (!close_all(STDERR_FILENO + 1, kept - 1) || !close_all(kept + 1, ~0U)) {
    return Outcome::failed("close_range", errno);
  }
  return Outcome::yes("output, error and the way to the broker only");
}

Outcome clear_environment() {
  char** next = environ;
  for (char** at = environ; *at != nullptr; ++at) {
    if (is_kept(*at)) {
      *next++ = *at;
    } else {
      ::explicit_bzero(*at, std::strlen(*at));  // the text lies in memory that the worker can read
    }
  }
  *next = nullptr;
  return Outcome::yes("overwritten");
}

Outcome become_undumpable() {
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Outcome::failed("PR_SET_DUMPABLE", errno);
  return Outcome::yes("no tracing by others, no core file");
}

Outcome die_with(int broker) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return Outcome::failed("PR_SET_PDEATHSIG", errno);
  if (::getppid() != broker) ::raise(SIGKILL);
  return Outcome::yes("ends with the broker");
}

Outcome drop_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) return Outcome::failed("capset", errno);
  return Outcome::yes("none");
}

Outcome refuse_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Outcome::failed("PR_SET_NO_NEW_PRIVS", errno);
  return Outcome::yes("for good");
}

}  // namespace weighbridge::sandbox
