#include "io/progress.hpp"

#include <weighbridge/error.hpp>

namespace weighbridge::io {
namespace {

constexpr std::uint64_t kMostReports = 200;

}  // namespace

ProgressMeter::ProgressMeter(const WriteOptions& options, std::uint64_t total)
    : options_(options), total_(total), step_(total / kMostReports + 1) {}

void ProgressMeter::check_cancelled() const {
  if (options_.cancel != nullptr && options_.cancel->load(std::memory_order_relaxed)) {
    throw Error(ErrorCode::Cancelled, "the write was cancelled");
  }
}

void ProgressMeter::add(std::uint64_t bytes) {
  if (!options_.progress) return;
  const std::lock_guard lock(mutex_);
  done_ += bytes;
  if (done_ < next_report_ && done_ < total_) return;
  next_report_ = done_ + step_;
  options_.progress(done_, total_);
}

}  // namespace weighbridge::io
