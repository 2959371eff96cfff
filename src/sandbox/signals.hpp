// SIGHUP, SIGINT and SIGTERM while a worker runs: they are for the worker, the broker only waits for it.
#pragma once

#include <csignal>

#include <sys/types.h>

#include "io/descriptor.hpp"

namespace weighbridge::sandbox {

/// While it lives, these signals wait for wait_for() instead of ending this process, and children
/// can be waited for even in a program that was started with SIGCHLD ignored.
class HeldSignals {
 public:
  /// Throws IoError.
  HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals();

  /// For the child: signals act as they did before.
  void release() const noexcept;

  /// Waits until `channel` can be read, and hands on what comes for `worker` meanwhile. Throws IoError.
  void wait_for(int channel, pid_t worker) const;

 private:
  void hand_on(pid_t worker) const noexcept;

  sigset_t previous_{};
  struct sigaction previous_child_ = {};
  io::Descriptor signals_;
};

}  // namespace weighbridge::sandbox
