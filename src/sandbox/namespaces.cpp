#include "sandbox/namespaces.hpp"

#include <cerrno>

#include <sched.h>
#include <unistd.h>

namespace weighbridge::sandbox {

Outcome enter_namespaces() {
  // No mount namespace: taking one down waits for all processors, some milliseconds each time.
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0) {
    return Outcome::yes("user, network, IPC, host name");
  }
  const int failure = errno;
  if (::unshare(CLONE_NEWUSER) == 0) return Outcome::failed("only a user of its own; network", failure);
  return Outcome::failed("unshare", failure);
}

Outcome enter_empty_root() {
  // This folder of the kernel's shows a process the numbers of its own descriptors, and nothing else.
  if (::chroot("/proc/self/fdinfo") != 0) return Outcome::failed("chroot", errno);
  if (::chdir("/") != 0) return Outcome::failed("chdir", errno);
  return Outcome::yes("an empty folder");
}

}  // namespace weighbridge::sandbox
