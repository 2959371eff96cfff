// The virtual file driver: how libhdf5 asks for bytes.
#pragma once

#include "hdf5/file.hpp"

namespace weighbridge::hdf5 {

/// The name under which a driver of ours opens its one file; it opens no other. It looks absolute, or libhdf5
/// would ask for the current folder.
inline constexpr const char* kDriverFileName = "/weighbridge";

/// Sets `access` up to open the file of `state`, which outlives it. Throws std::bad_alloc.
void use_driver(hid_t access, File::State& state);

}  // namespace weighbridge::hdf5
