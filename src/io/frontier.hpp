// How far a file is written, for those that follow.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace weighbridge::io {

/// One thread writes a file from its start on, and others wait for what they need of it.
class Frontier {
 public:
  /// All bytes before `end` are written.
  void advance(std::uint64_t end);

  /// Nothing more will be written, whether or not that is all.
  void close();

  /// Waits until all bytes before `end` are written. False when they never will be.
  [[nodiscard]] bool wait_for(std::uint64_t end);

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  std::uint64_t reached_ = 0;
  bool closed_ = false;
};

}  // namespace weighbridge::io
