// Giving up rights, layer by layer.
#pragma once

#include <vector>

#include "sandbox/bounds.hpp"
#include "sandbox/layers.hpp"

namespace weighbridge::sandbox {

struct LockdownPlan {
  LayerSet layers = LayerSet::all();  ///< Fewer only in tests, which look at one layer at a time.
  int channel = -1;                   ///< The socket to the broker.
  int empty = -1;                     ///< What standard input is replaced by.
  int broker = -1;                    ///< The parent's process number.
  Bounds bounds = {};
};

/// Applies the layers to the calling process, which has one thread, and says what became of each.
std::vector<SandboxLayer> lock_down(const LockdownPlan& plan);

}  // namespace weighbridge::sandbox
