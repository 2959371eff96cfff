// NumPy's .npy files, version 1.0.
#pragma once

#include <string>

#include <weighbridge/tensor.hpp>

namespace weighbridge::cli {

/// All that stands before the data: magic, version and the header dict, padded to 64 bytes.
/// Throws InvalidArgument for a dtype that NumPy has not.
std::string serialize_npy_head(DType dtype, const Shape& shape);

}  // namespace weighbridge::cli
