// How much a worker may use.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "sandbox/layers.hpp"

namespace weighbridge::sandbox {

/// What the size of the input decides where the caller did not.
struct Bounds {
  std::uint64_t memory_bytes = 0;
  std::uint64_t cpu_seconds = 0;
  std::uint64_t file_bytes = 0;
};

/// The bounds for a worker that was given `input_bytes` so far.
Bounds bounds_for(const WorkerOptions& options, std::uint64_t input_bytes) noexcept;

/// Applies all bounds to the calling process, for good or until raise_bounds().
Outcome apply_bounds(const Bounds& bounds);

/// Gives the process as much time and as large files as `bounds` say: its input has turned out to be
/// larger. Only another process can do so; the worker itself has no such system call.
void raise_bounds(pid_t process, const Bounds& bounds) noexcept;

}  // namespace weighbridge::sandbox
