// The steps of a plan as bytes that can be read.
#pragma once

#include <vector>

#include <weighbridge/write.hpp>

namespace weighbridge::keras {

/// What the steps would write. REQUIRES: steps in order of their destinations, from 0 on without gaps.
SourcePtr patched_source(std::vector<CopyStep> steps);

}  // namespace weighbridge::keras
