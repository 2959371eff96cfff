#include "cli/signals.hpp"

namespace weighbridge::cli {
namespace {

// A signal handler reaches nothing but globals.
std::atomic<bool> g_cancelled{false};
std::atomic<int> g_signal{SIGINT};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

extern "C" void request_cancel(int signal) {
  g_signal = signal;
  g_cancelled = true;
}

void install(int signal, struct sigaction& previous) {
  struct sigaction action = {};
  action.sa_handler = request_cancel;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);  // the second one ends the process
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, &previous);
}

}  // namespace

CancelOnSignal::CancelOnSignal() {
  install(SIGINT, interrupt_);
  install(SIGTERM, terminate_);
}

CancelOnSignal::~CancelOnSignal() {
  sigaction(SIGINT, &interrupt_, nullptr);
  sigaction(SIGTERM, &terminate_, nullptr);
}

const std::atomic<bool>* CancelOnSignal::flag() noexcept { return &g_cancelled; }

int cancelling_signal() noexcept { return g_signal; }

}  // namespace weighbridge::cli
