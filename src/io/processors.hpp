// How many processors there are to share work among.
#pragma once

namespace weighbridge::io {

/// Those that the calling thread may run on: fewer than the machine has, where it was told so (taskset, a
/// container's set of processors). At least 1.
unsigned usable_processors() noexcept;

}  // namespace weighbridge::io
