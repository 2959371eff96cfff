// Containers around checkpoints: what is inside is detected and read again, one level deeper.
#pragma once

#include <string_view>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge {

/// Reads what a container holds and puts the container's name in front of the format's:
/// "gzip, tar, torch-legacy". `limits.archive_depth` counts down with each level; at 0 the next one
/// throws LimitExceeded. Throws what read_checkpoint throws.
[[nodiscard]] Checkpoint read_within(std::string_view container, SourcePtr content,
                                     const OpenOptions& options);

}  // namespace weighbridge
