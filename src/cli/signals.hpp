// Interrupts: the first asks the running write to stop and clean up, the second ends the process.
#pragma once

#include <atomic>
#include <csignal>

namespace weighbridge::cli {

/// While it lives, SIGINT and SIGTERM set flag() instead of ending the process. One at a time.
class CancelOnSignal {
 public:
  CancelOnSignal();
  ~CancelOnSignal();
  CancelOnSignal(const CancelOnSignal&) = delete;
  CancelOnSignal& operator=(const CancelOnSignal&) = delete;

  /// For WriteOptions::cancel.
  [[nodiscard]] static const std::atomic<bool>* flag() noexcept;

 private:
  struct sigaction interrupt_ = {};
  struct sigaction terminate_ = {};
};

/// The signal that set the flag; SIGINT when none did.
int cancelling_signal() noexcept;

}  // namespace weighbridge::cli
