// Landlock: rights to paths, ports and signals that a process gives up by itself.
#pragma once

#include "sandbox/layers.hpp"

namespace weighbridge::sandbox {

/// Gives up everything that the running kernel's Landlock knows, without any exception. What is open
/// stays open. REQUIRES: refuse_new_privileges().
Outcome give_up_paths();

}  // namespace weighbridge::sandbox
