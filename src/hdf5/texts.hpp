// Short datasets of strings, which become values beside the tensors.
#pragma once

#include "formats/hdf5/content.hpp"
#include "hdf5/attributes.hpp"

namespace weighbridge::hdf5 {

/// Fills in `out.texts` where there are not too many, and `out.has_texts` says so. `bytes` are those of
/// all elements; texts of variable length behind filters are not read: libhdf5 alone could.
void read_texts(hid_t dataset, hid_t type, std::uint64_t bytes, Dataset& out, Room& room);

}  // namespace weighbridge::hdf5
