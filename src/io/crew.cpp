#include "io/crew.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sched.h>

namespace weighbridge::io {
namespace {

class Crew {
 public:
  Crew(std::size_t jobs, const std::function<void(std::size_t, unsigned)>& work) : jobs_(jobs), work_(work) {}

  void run_lane(unsigned lane) noexcept {
    try {
      for (std::size_t job = next_++; job < jobs_ && !stopped_; job = next_++) work_(job, lane);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      stopped_ = true;
    }
  }

  void rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::size_t jobs_;
  const std::function<void(std::size_t, unsigned)>& work_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

/// Moves a new thread to another processor, where there is one; from there it may go anywhere. Some kernels
/// put it behind the thread that starts it, though others are idle, and look again only after milliseconds,
/// in which that one may have done all the work. Where this is refused, that is how it stays.
void send_elsewhere(std::jthread& helper) noexcept {
  cpu_set_t all;
  const int here = ::sched_getcpu();
  if (here < 0 || here >= CPU_SETSIZE || ::sched_getaffinity(0, sizeof all, &all) != 0) return;
  cpu_set_t others = all;
  CPU_CLR(static_cast<unsigned>(here), &others);
  if (CPU_COUNT(&others) == 0) return;
  // A thread that has ended is taken for the caller's, which is then as it was.
  ::pthread_setaffinity_np(helper.native_handle(), sizeof others, &others);
  ::pthread_setaffinity_np(helper.native_handle(), sizeof all, &all);
}

/// False when the system gives no more threads: those that there are do all the work then.
bool start_lane(std::vector<std::jthread>& helpers, Crew& crew, unsigned lane) {
  try {
    send_elsewhere(helpers.emplace_back([&crew, lane] { crew.run_lane(lane); }));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace

unsigned useful_lanes(std::size_t jobs, std::size_t worth) noexcept {
  const std::size_t cores = std::max(std::thread::hardware_concurrency(), 1U);
  return static_cast<unsigned>(std::clamp<std::size_t>(jobs / worth, 1, cores));
}

void run_crew(std::size_t jobs, unsigned lanes,
              const std::function<void(std::size_t job, unsigned lane)>& work) {
  Crew crew(jobs, work);
  {
    std::vector<std::jthread> helpers;
    for (unsigned lane = 1; lane < lanes; ++lane) {
      if (!start_lane(helpers, crew, lane)) break;
    }
    crew.run_lane(0);
  }
  crew.rethrow_failure();
}

}  // namespace weighbridge::io
