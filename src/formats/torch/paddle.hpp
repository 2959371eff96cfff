// What paddle does to its arrays before it pickles them: .pdparams and .pdopt files.
#pragma once

#include <weighbridge/limits.hpp>

#include "formats/torch/document.hpp"
#include "formats/torch/parts.hpp"

namespace weighbridge::torch {

/// Puts arrays together again that were cut for protocols 2 and 3, as the table
/// 'UnpackBigParamInfor@@' of the root says. Fills in document.joined.
void join_slices(Document& document, const Limits& limits);

/// The array of a parameter that was saved with its name, tuple((name, array)); every other node as
/// it is.
pickle::NodeId strip_parameter_name(const Document& document, pickle::NodeId node);

/// The parts of the root with each array that was joined in place of its slices and of their table.
/// REQUIRES: `parts` are those of document.root.
std::vector<Part> replace_slices(const Document& document, std::vector<Part> parts);

}  // namespace weighbridge::torch
