#include "formats/within.hpp"

#include <utility>

#include <fmt/format.h>

namespace weighbridge {

Checkpoint read_within(std::string_view container, SourcePtr content, const OpenOptions& options) {
  if (options.limits.archive_depth == 0) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("a {} container within too many others; see Limits::archive_depth", container));
  }
  OpenOptions inner = options;
  --inner.limits.archive_depth;
  Checkpoint checkpoint = read_checkpoint(std::move(content), inner);
  checkpoint.format = fmt::format("{}, {}", container, checkpoint.format);
  return checkpoint;
}

}  // namespace weighbridge
