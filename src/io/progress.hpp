// Reports and cancellation of a running write.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include <weighbridge/write.hpp>

namespace weighbridge::io {

/// Shared by all lanes of a write.
class ProgressMeter {
 public:
  /// `total` bytes of work; `options` is borrowed.
  ProgressMeter(const WriteOptions& options, std::uint64_t total);

  /// Throws Cancelled when the caller has asked for it.
  void check_cancelled() const;

  /// Counts work as done; now and then calls the caller's function, never from two threads at once.
  void add(std::uint64_t bytes);

 private:
  const WriteOptions& options_;
  std::uint64_t total_;
  std::uint64_t step_;
  std::mutex mutex_;
  std::uint64_t done_ = 0;
  std::uint64_t next_report_ = 0;
};

}  // namespace weighbridge::io
