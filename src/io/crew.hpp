// Several threads over one list of jobs.
#pragma once

#include <cstddef>
#include <functional>

namespace weighbridge::io {

/// Calls `work(job, lane)` for every job below `jobs`, on up to `lanes` threads, the caller's being
/// one of them. Jobs start in order; calls of one lane never overlap. The first exception stops
/// the others before their next job and is thrown when all have returned.
void run_crew(std::size_t jobs, unsigned lanes,
              const std::function<void(std::size_t job, unsigned lane)>& work);

}  // namespace weighbridge::io
