#include "io/processors.hpp"

#include <algorithm>
#include <thread>

#include <sched.h>

namespace weighbridge::io {

// std::thread::hardware_concurrency() would open a file of the system's for it, each time.
unsigned usable_processors() noexcept {
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) == 0) return static_cast<unsigned>(CPU_COUNT(&usable));
  return std::max(std::thread::hardware_concurrency(), 1U);  // more than a cpu_set_t has room for
}

}  // namespace weighbridge::io
