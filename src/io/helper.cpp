#include "io/helper.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "io/signals_blocked.hpp"

namespace weighbridge::io {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kStays = 10ms;
// To sleep and to be woken takes as long.
constexpr auto kWorthSleeping = 100us;

/// Moves a new thread to another processor, where there is one; from there it may go anywhere. Some kernels
/// put it behind the thread that starts it, though others are idle, and look again only after milliseconds,
/// in which that one may have done all the work. Where this is refused, that is how it stays.
void send_elsewhere(std::thread& thread) noexcept {
  cpu_set_t all;
  const int here = ::sched_getcpu();
  if (here < 0 || here >= CPU_SETSIZE || ::sched_getaffinity(0, sizeof all, &all) != 0) return;
  cpu_set_t others = all;
  CPU_CLR(static_cast<unsigned>(here), &others);
  if (CPU_COUNT(&others) == 0) return;
  // A thread that has ended is taken for the caller's, which is then as it was.
  ::pthread_setaffinity_np(thread.native_handle(), sizeof others, &others);
  ::pthread_setaffinity_np(thread.native_handle(), sizeof all, &all);
}

}  // namespace

class Helper::Thread {
 public:
  explicit Thread(std::function<void()> work) : work_(std::move(work)) {
    thread_ = std::thread([this] { run(); });
    send_elsewhere(thread_);
  }

  /// Whether it is in this process.
  [[nodiscard]] bool here() const noexcept { return process_ == ::getpid(); }

  bool start(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      if (state_ == State::Ended) return false;
      work_ = std::move(work);
      state_ = State::Working;
    }
    changed_.notify_one();
    return true;
  }

  void wait() {
    const auto until = steady_clock::now() + kWorthSleeping;
    while (state_ == State::Working && steady_clock::now() < until) std::this_thread::yield();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return state_ != State::Working; });
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      state_ = State::Ended;
    }
    changed_.notify_one();
    thread_.join();
  }

 private:
  enum class State { Working, Waiting, Ended };

  void run() {
    std::unique_lock lock(mutex_);
    while (state_ == State::Working) {
      lock.unlock();
      work_();
      const SignalsBlocked blocked;  // until there is more work, which may be the program's own
      lock.lock();
      state_ = State::Waiting;
      changed_.notify_one();
      changed_.wait_for(lock, kStays, [this] { return state_ != State::Waiting; });
    }
    state_ = State::Ended;
  }

  const pid_t process_ = ::getpid();
  std::mutex mutex_;
  std::condition_variable changed_;  // only one of the two threads waits at a time
  std::atomic<State> state_ = State::Working;
  std::function<void()> work_;
  std::thread thread_;
};

void Helper::End::operator()(Thread* thread) const noexcept {
  // What a forked child has of it is a copy of something in use.
  if (!thread->here()) return;
  thread->end();
  delete thread;
}

Helper::Helper(std::function<void()> work) : thread_(new Thread(std::move(work))) {}

bool Helper::start(std::function<void()> work) { return thread_->here() && thread_->start(std::move(work)); }

void Helper::wait() noexcept { thread_->wait(); }

}  // namespace weighbridge::io
