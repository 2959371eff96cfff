// The conversation that bench/suite/zygote.py describes, over the standard streams.
#pragma once

#include "work.hpp"

namespace bench {

/// Tells that `work` is prepared, runs it when it is told to, and drops it when it is told to.
void converse(Work& work);

}  // namespace bench
