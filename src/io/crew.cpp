#include "io/crew.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

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

/// False when the system gives no more threads: those that there are do all the work then.
bool start_lane(std::vector<std::jthread>& helpers, Crew& crew, unsigned lane) {
  try {
    helpers.emplace_back([&crew, lane] { crew.run_lane(lane); });
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
