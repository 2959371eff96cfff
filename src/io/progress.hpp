// Reports and cancellation of a running write or load.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>

#include <weighbridge/write.hpp>

namespace weighbridge::io {

/// Shared by all lanes of the work.
class ProgressMeter {
 public:
  /// `total` bytes of work; `options` is borrowed.
  ProgressMeter(const WriteOptions& options, std::uint64_t total)
      : ProgressMeter(options.progress, options.cancel, "the write", total) {}

  /// The same for any work; `progress` and `what` are borrowed, `cancel` may be null.
  ProgressMeter(const Progress& progress, const std::atomic<bool>* cancel, std::string_view what,
                std::uint64_t total);

  /// Throws Cancelled when the caller has asked for it.
  void check_cancelled() const;

  /// Counts work as done; now and then calls the caller's function, never from two threads at once.
  void add(std::uint64_t bytes);

 private:
  const Progress& progress_;
  const std::atomic<bool>* cancel_;
  std::string_view what_;
  std::uint64_t total_;
  std::uint64_t step_;
  std::mutex mutex_;
  std::uint64_t done_ = 0;
  std::uint64_t next_report_ = 0;
};

}  // namespace weighbridge::io
