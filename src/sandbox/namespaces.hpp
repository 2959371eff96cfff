// Namespaces of the worker's own. Both layers need a kernel that lets ordinary users have them.
#pragma once

#include "sandbox/layers.hpp"

namespace weighbridge::sandbox {

/// A network without interfaces, an IPC namespace without objects, and a user without rights outside.
Outcome enter_namespaces();

/// Makes a folder without files the root of all paths. Needs enter_namespaces(), or root's rights.
Outcome enter_empty_root();

}  // namespace weighbridge::sandbox
