// The bound on what one input may become.
#pragma once

#include <cstdint>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/limits.hpp>

namespace weighbridge {

/// Throws LimitExceeded when an output of `bytes` is more than `limits` admit for this checkpoint.
void check_output_size(std::uint64_t bytes, const Checkpoint& checkpoint, const Limits& limits);

}  // namespace weighbridge
