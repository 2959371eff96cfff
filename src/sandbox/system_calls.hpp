// The filter of system calls.
#pragma once

#include "sandbox/layers.hpp"

namespace weighbridge::sandbox {

/// From here on the calling process can use only what reading and writing open files, threads and
/// memory take; `channel` is the one socket that it may talk through. Any other call kills it.
/// REQUIRES: refuse_new_privileges(), one thread.
Outcome filter_system_calls(int channel);

}  // namespace weighbridge::sandbox
