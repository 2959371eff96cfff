// What a process inherits and does not need.
#pragma once

#include <span>

#include "sandbox/layers.hpp"

namespace weighbridge::sandbox {

/// Closes every descriptor but 0, 1, 2 and `keep`; standard input becomes `empty`.
Outcome close_others(int keep, int empty);

/// Overwrites the environment in memory, but for what terminal output depends on: TERM and NO_COLOR.
Outcome clear_environment();

/// Neither core files nor the eyes of other processes of this user.
Outcome become_undumpable();

/// The process dies when its parent `broker` does, and at once when that has happened already. Comes
/// after the namespaces: a change of user undoes it.
Outcome die_with(int broker);

Outcome drop_capabilities();

Outcome refuse_new_privileges();

}  // namespace weighbridge::sandbox
