#include "io/frontier.hpp"

namespace weighbridge::io {

void Frontier::advance(std::uint64_t end) {
  {
    const std::lock_guard lock(mutex_);
    reached_ = end;
  }
  moved_.notify_all();
}

void Frontier::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  moved_.notify_all();
}

bool Frontier::wait_for(std::uint64_t end) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return closed_ || reached_ >= end; });
  return reached_ >= end;
}

}  // namespace weighbridge::io
