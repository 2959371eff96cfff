// libhdf5's types as values.
#pragma once

#include "formats/hdf5/content.hpp"
#include "hdf5/handle.hpp"

namespace weighbridge::hdf5 {

/// Throws Unsupported for references, MalformedCheckpoint for what contradicts itself.
[[nodiscard]] Type describe_type(hid_t type, std::string_view path);

/// Whether a type is or holds references to objects or regions.
[[nodiscard]] bool holds_references(hid_t type);

}  // namespace weighbridge::hdf5
