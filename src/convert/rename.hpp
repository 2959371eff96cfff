// Names by rules.
#pragma once

#include <weighbridge/convert.hpp>

namespace weighbridge {

/// Renames the tensors; adds findings for rules that match nothing. Throws InvalidArgument, NameCollision and
/// LimitExceeded for a name of more than 64 KiB.
void rename_tensors(Checkpoint& checkpoint, const PassOptions& options);

}  // namespace weighbridge
