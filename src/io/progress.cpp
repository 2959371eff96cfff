#include "io/progress.hpp"

#include <string>

#include <weighbridge/error.hpp>

namespace weighbridge::io {
namespace {

constexpr std::uint64_t kMostReports = 200;

}  // namespace

ProgressMeter::ProgressMeter(const Progress& progress, const std::atomic<bool>* cancel, std::string_view what,
                             std::uint64_t total)
    : progress_(progress), cancel_(cancel), what_(what), total_(total), step_(total / kMostReports + 1) {}

void ProgressMeter::check_cancelled() const {
  if (cancel_ != nullptr && cancel_->load(std::memory_order_relaxed)) {
    throw Error(ErrorCode::Cancelled, std::string(what_) + " was cancelled");
  }
}

void ProgressMeter::add(std::uint64_t bytes) {
  if (!progress_) return;
  const std::lock_guard lock(mutex_);
  done_ += bytes;
  if (done_ < next_report_ && done_ < total_) return;
  next_report_ = done_ + step_;
  progress_(done_, total_);
}

}  // namespace weighbridge::io
