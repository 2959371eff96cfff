#include "io/crew.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "io/helper.hpp"
#include "io/processors.hpp"

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

/// Those of a thread that wait for more work.
class Kept {
 public:
  Kept() = default;
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  ~Kept() { gone = true; }

  /// None when the thread is about to end.
  static std::vector<Helper>* mine() {
    thread_local Kept kept;
    return gone ? nullptr : &kept.helpers_;
  }

 private:
  static thread_local bool gone;
  std::vector<Helper> helpers_;
};

thread_local bool Kept::gone = false;

/// Helpers for the time of one crew. They come back afterwards, so that a crew within another has its own.
class Lent {
 public:
  Lent() = default;
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() {
    for (Helper& helper : helpers_) helper.wait();
    keep();
  }

  /// False when the system gives no more threads: those that there are do all the work then.
  bool start(const std::function<void()>& work) {
    try {
      helpers_.reserve(helpers_.size() + 1);
      if (start_kept(work)) return true;
      helpers_.emplace_back(work);
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

 private:
  bool start_kept(const std::function<void()>& work) {
    auto* const kept = Kept::mine();
    while (kept != nullptr && !kept->empty()) {
      Helper helper = std::move(kept->back());
      kept->pop_back();
      if (!helper.start(work)) continue;
      helpers_.push_back(std::move(helper));
      return true;
    }
    return false;
  }

  void keep() noexcept {
    auto* const kept = Kept::mine();
    if (kept == nullptr || !kept->empty()) return;
    kept->swap(helpers_);
  }

  std::vector<Helper> helpers_;
};

}  // namespace

unsigned useful_lanes(std::size_t jobs, std::size_t worth) noexcept {
  return static_cast<unsigned>(std::clamp<std::size_t>(jobs / worth, 1, usable_processors()));
}

void run_crew(std::size_t jobs, unsigned lanes,
              const std::function<void(std::size_t job, unsigned lane)>& work) {
  Crew crew(jobs, work);
  {
    Lent helpers;
    for (unsigned lane = 1; lane < lanes; ++lane) {
      if (!helpers.start([&crew, lane] { crew.run_lane(lane); })) break;
    }
    crew.run_lane(0);
  }
  crew.rethrow_failure();
}

}  // namespace weighbridge::io
