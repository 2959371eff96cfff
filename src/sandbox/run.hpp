// Running work in a worker with some of the layers; run_worker() is this with all of them.
#pragma once

#include <functional>
#include <vector>

#include <weighbridge/worker.hpp>

#include "sandbox/layers.hpp"

namespace weighbridge::sandbox {

using LayerReport = std::vector<SandboxLayer>;
using Work = std::function<int(WorkerFiles&, const LayerReport&)>;

/// As run_worker() promises, whatever options.sandbox is; `work` also learns what holds.
WorkerResult run_isolated(const WorkerOptions& options, LayerSet layers, const Work& work);

}  // namespace weighbridge::sandbox
