#include "io/unmap.hpp"

#include <thread>

#include <sys/mman.h>

#include "io/signals_blocked.hpp"

namespace weighbridge::io {
namespace {

// Starting a thread costs as much as letting go of a tenth of its pages.
constexpr std::size_t kWorthThread = std::size_t{256} << 20;

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
