// What the sidecar says of numpy arrays: docs/formats/sidecar.md.
#pragma once

#include <string>

#include <weighbridge/limits.hpp>

#include "formats/numpy/array.hpp"

namespace weighbridge::torch {

/// Appends the members that tell a tensor which was a numpy array from one of torch's:
/// ,"$numpy":"<f4"; with the bytes of the array when not all of its fields are tensors.
void append_array_members(std::string& out, const numpy::Array& array, const Limits& limits);

/// Appends the members of an array or scalar that is no tensor: "$ndarray":"<U2","$shape":[2],"$bytes":"..."
/// The elements of an array of objects are left to the caller.
/// Throws LimitExceeded when the text would grow above limits.sidecar_bytes.
void append_array(std::string& out, const numpy::Array& array, const Limits& limits);

}  // namespace weighbridge::torch
