// joblib files: a pickle with the bytes of its arrays between the opcodes, or in files beside it.
// Rules: docs/formats/joblib.md.
#pragma once

#include <weighbridge/checkpoint.hpp>

#include "formats/pickle/graph.hpp"

namespace weighbridge::torch {

/// `plain` is what the stream names when all of its bytes are taken for opcodes, as a loader that does not
/// know joblib takes them: what is dangerous there is reported as well. Adds to `findings` what it
/// notices before it throws.
Checkpoint read_joblib(SourcePtr source, const pickle::Graph& plain, const OpenOptions& options,
                       Findings& findings);

}  // namespace weighbridge::torch
