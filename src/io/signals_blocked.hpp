// Threads that run none of the program's signal handlers.
#pragma once

#include <csignal>
#include <initializer_list>

namespace weighbridge::io {

/// While it lives the calling thread takes no signals, nor do threads that it starts, ever, but for those
/// that say what the thread itself has just done, as SIGBUS.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t others;
    ::sigfillset(&others);
    for (const int own : {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP}) ::sigdelset(&others, own);
    ::pthread_sigmask(SIG_BLOCK, &others, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace weighbridge::io
