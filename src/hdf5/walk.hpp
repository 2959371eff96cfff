// The tree of groups, by its hard links.
#pragma once

#include "formats/hdf5/content.hpp"
#include "hdf5/datasets.hpp"

namespace weighbridge::hdf5 {

/// All groups and datasets. Throws Unsupported for links out of the file and links that are code,
/// MalformedCheckpoint for a group that is reached twice and a soft link that leads to nothing.
[[nodiscard]] Content walk(Surroundings& around);

}  // namespace weighbridge::hdf5
