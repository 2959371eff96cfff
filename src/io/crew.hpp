// Several threads over one list of jobs.
#pragma once

#include <cstddef>
#include <functional>

namespace weighbridge::io {

/// How many threads are worth starting for short jobs, of which one thread does `worth` in the time that
/// another takes to start: no more than there are processors to run on.
unsigned useful_lanes(std::size_t jobs, std::size_t worth) noexcept;

/// Calls `work(job, lane)` for every job below `jobs`, on up to `lanes` threads, the caller's being
/// one of them. Jobs start in order; calls of one lane never overlap. The first exception stops
/// the others before their next job and is thrown when all have returned.
void run_crew(std::size_t jobs, unsigned lanes,
              const std::function<void(std::size_t job, unsigned lane)>& work);

}  // namespace weighbridge::io
