#include "io/unmap.hpp"

#include <csignal>
#include <thread>

#include <sys/mman.h>

namespace weighbridge::io {
namespace {

// Starting a thread costs as much as letting go of a tenth of its pages.
constexpr std::size_t kWorthThread = std::size_t{256} << 20;

/// While it lives the calling thread takes no signals, nor do threads that it starts, ever: those run none of
/// the program's handlers.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

bool start_unmapping(void* base, std::size_t bytes) noexcept {
  const SignalsBlocked blocked;
  try {
    std::thread([base, bytes] { ::munmap(base, bytes); }).detach();
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

void unmap(void* base, std::size_t bytes) noexcept {
  if (bytes < kWorthThread || !start_unmapping(base, bytes)) ::munmap(base, bytes);
}

}  // namespace weighbridge::io
