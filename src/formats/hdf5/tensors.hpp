// Datasets as tensors.
#pragma once

#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/hdf5/content.hpp"

namespace weighbridge::hdf5 {

/// The tensors of a file, named by the paths of their datasets, in their order. Complex numbers of 128 bits
/// are two, `path.real` and `path.imag`, with options.split_complex. What is no tensor is left out; a
/// finding "DatasetsNotTaken" says so of all but strings and datasets without content.
/// Throws Unsupported for complex numbers of 128 bits without that option.
std::vector<TensorEntry> find_tensors(const std::vector<Dataset>& datasets, const OpenOptions& options,
                                      Findings& findings);

/// Whether it became none.
bool is_no_tensor(const Dataset& dataset);

}  // namespace weighbridge::hdf5
