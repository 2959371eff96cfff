// Kills a process at an exact moment: when it is about to make its n-th system call.
#pragma once

#include <functional>

namespace weighbridge::sandbox::test {

enum class Victim { Broker, Worker };

/// Whether this process may trace others at all.
bool can_trace();

/// Runs `program` in a process of its own, the broker, and kills the broker or its first child, the
/// worker, before the victim's call number `call` (from 1 on) is made. Returns when all processes
/// are gone. False when the victim ended by itself before that.
bool run_and_kill(const std::function<void()>& program, Victim victim, int call);

}  // namespace weighbridge::sandbox::test
