// libhdf5 for those that run in a worker. A library of its own, weighbridge_hdf5: nothing of Weighbridge is
// linked with libhdf5 but the programs that ask for it.
#pragma once

#include <weighbridge/checkpoint.hpp>

namespace weighbridge {

/// For OpenOptions::hdf5 of a process without rights, and never of another: files that are made for it can
/// make libhdf5 crash. In a build without libhdf5 it refuses every file, and says why. Lives as long as the
/// program.
[[nodiscard]] const Hdf5Library* hdf5_library() noexcept;

/// Which libhdf5 this was built with: "1.10.8"; empty when with none.
[[nodiscard]] std::string_view hdf5_version() noexcept;

}  // namespace weighbridge
