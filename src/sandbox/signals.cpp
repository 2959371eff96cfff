#include "sandbox/signals.hpp"

#include <array>
#include <cerrno>

#include <weighbridge/error.hpp>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace weighbridge::sandbox {

HeldSignals::HeldSignals() {
  sigset_t held{};
  sigemptyset(&held);
  sigaddset(&held, SIGHUP);
  sigaddset(&held, SIGINT);
  sigaddset(&held, SIGTERM);
  signals_ = io::Descriptor(::signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw Error::from_errno(errno, "wait for", "signals");
  ::pthread_sigmask(SIG_BLOCK, &held, &previous_);
  struct sigaction by_default = {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &by_default, &previous_child_);
}

HeldSignals::~HeldSignals() { release(); }

void HeldSignals::release() const noexcept {
  ::sigaction(SIGCHLD, &previous_child_, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

void HeldSignals::wait_for(int channel, pid_t worker) const {
  std::array<pollfd, 2> ready{{{.fd = channel, .events = POLLIN, .revents = 0},
                               {.fd = signals_.get(), .events = POLLIN, .revents = 0}}};
  while (true) {
    if (::poll(ready.data(), ready.size(), -1) < 0) {
      if (errno == EINTR) continue;
      throw Error::from_errno(errno, "wait for", "the worker");
    }
    if (ready[1].revents != 0) hand_on(worker);
    if (ready[0].revents != 0) return;
  }
}

/// A terminal sends its signals to both processes; a second one would end the worker at once.
void HeldSignals::hand_on(pid_t worker) const noexcept {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_code != SI_KERNEL) ::kill(worker, static_cast<int>(signal.ssi_signo));
  }
}

}  // namespace weighbridge::sandbox
