// A thread that helps another one, and stays a moment for the next time.
#pragma once

#include <functional>
#include <memory>

namespace weighbridge::io {

/// To start a thread and to wait for its end takes a tenth of a millisecond, in which 1 MiB is copied: so one
/// that has done its work waits 10 ms for more of it before it ends.
///
/// It works with the signals that its maker had, and waits without. It belongs to that thread, whose limits,
/// privileges and processors it has. In a process that was forked meanwhile it takes no work and is left as
/// it is.
class Helper {
 public:
  /// Starts the thread with its first work. Throws std::system_error where there is none to be had.
  explicit Helper(std::function<void()> work);
  Helper(Helper&&) noexcept = default;
  Helper& operator=(Helper&&) noexcept = default;
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  /// Ends the thread. REQUIRES: no work is under way.
  ~Helper() = default;

  /// More work, which throws nothing; false when the thread is not there any more. REQUIRES: none is under
  /// way.
  [[nodiscard]] bool start(std::function<void()> work);

  /// Waits until the work is done.
  void wait() noexcept;

 private:
  class Thread;
  struct End {
    void operator()(Thread* thread) const noexcept;
  };
  std::unique_ptr<Thread, End> thread_;
};

}  // namespace weighbridge::io
