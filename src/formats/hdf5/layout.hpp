// A new HDF5 file: tensors as contiguous datasets, the paths in their names as groups. Of the oldest
// version of the format, as h5py writes it by default: every reader knows it.
#pragma once

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge::hdf5 {

/// Lays the tensors out, each under its name: slashes part groups. Other names that the metadata gives a
/// tensor are hard links to its dataset. BF16 is what Keras makes of it, two opaque bytes with the attribute
/// "dtype"; BOOL and C64 are what h5py makes of them. Pure: opens and reads nothing. Throws Unsupported for
/// dtypes that HDF5 has no common type for, NameCollision for a name that is also a group, InvalidArgument
/// for one that no path can be, ValidationOverflow.
FilePlan plan_hdf5(const Checkpoint& checkpoint);

}  // namespace weighbridge::hdf5
