#include "sandbox/bounds.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.hpp"
#include "sandbox/sanitizer.hpp"

namespace weighbridge::sandbox {
namespace {

// A sanitizer's shadow is terabytes of private memory that is never touched.
constexpr bool kMemoryCanBeBounded = !kSanitized;

constexpr rlim_t kMostDescriptors = 4096;  // a model of 1000 shards takes 2000

rlim_t to_limit(std::uint64_t value) noexcept { return std::min<rlim_t>(value, RLIM_INFINITY - 1); }

bool set_both(int resource, std::uint64_t value) noexcept {
  struct rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return false;
  limit.rlim_max = std::min(limit.rlim_max, to_limit(value));
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

/// The hard limit stays, so that the broker can raise the soft one.
bool set_soft(pid_t process, int resource, std::uint64_t value) noexcept {
  struct rlimit limit{};
  const auto kind = static_cast<__rlimit_resource>(resource);
  if (::prlimit(process, kind, nullptr, &limit) != 0) return false;
  limit.rlim_cur = std::min(limit.rlim_max, to_limit(value));
  return ::prlimit(process, kind, &limit, nullptr) == 0;
}

/// What standard output and error hold already counts against the size of files.
std::uint64_t size_of_streams() noexcept {
  std::uint64_t largest = 0;
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat status{};
    if (::fstat(stream, &status) == 0 && S_ISREG(status.st_mode)) {
      largest = std::max(largest, static_cast<std::uint64_t>(status.st_size));
    }
  }
  return largest;
}

bool bound_memory(std::uint64_t bytes) noexcept {
  return !kMemoryCanBeBounded || set_both(RLIMIT_DATA, bytes);
}

}  // namespace

Bounds bounds_for(const WorkerOptions& options, std::uint64_t input_bytes) noexcept {
  constexpr std::uint64_t kMiB = 1 << 20;
  const std::uint64_t most = UINT64_MAX / 8;
  const std::uint64_t input = std::min(input_bytes, most / 8);
  return {.memory_bytes = options.memory_bytes,
          .cpu_seconds = options.cpu_seconds != 0 ? options.cpu_seconds : 300 + input / kMiB,
          // More than the bound of an output's tensors: this one stops a worker that ignores that one.
          .file_bytes =
              options.output_bytes != 0 ? std::min(options.output_bytes, most) : 4 * input + 2048 * kMiB};
}

Outcome apply_bounds(const Bounds& bounds) {
  std::signal(SIGXFSZ, SIG_IGN);  // the write then fails with EFBIG, which says more than a signal
  const std::uint64_t file_bytes = bounds.file_bytes + size_of_streams();
  const bool held = set_both(RLIMIT_CORE, 0) && set_both(RLIMIT_NOFILE, kMostDescriptors) &&
                    set_soft(0, RLIMIT_CPU, bounds.cpu_seconds) && set_soft(0, RLIMIT_FSIZE, file_bytes) &&
                    bound_memory(bounds.memory_bytes);
  if (!held) return Outcome::failed("setrlimit", errno);
  return Outcome::yes(
      kMemoryCanBeBounded
          ? fmt::format("memory {} MiB, processor time, file size, descriptors", bounds.memory_bytes >> 20)
          : "processor time, file size, descriptors; memory is a sanitizer's");
}

void raise_bounds(pid_t process, const Bounds& bounds) noexcept {
  set_soft(process, RLIMIT_CPU, bounds.cpu_seconds);
  set_soft(process, RLIMIT_FSIZE, bounds.file_bytes + size_of_streams());
}

}  // namespace weighbridge::sandbox
