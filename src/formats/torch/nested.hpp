// Nested tensors: several components of different shapes, cut from one buffer or from rows of one.
#pragma once

#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/recipe.hpp"
#include "formats/torch/subject.hpp"
#include "formats/torch/tree.hpp"

namespace weighbridge::torch {

/// _rebuild_nested_tensor(buffer, sizes, strides, offsets): one tensor for each component, name.0,
/// name.1, ... Its tables are read. Throws MalformedCheckpoint when they contradict each other,
/// TensorOutOfBounds for a component that leaves the buffer.
std::vector<TensorEntry> rebuild_nested(const Subject& subject, const Recipe& recipe);

/// Components of a nested tensor as its tables' shape tells, without reading one; 0 when it does not.
std::uint64_t count_components(const Subject& subject, const Recipe& recipe);

/// _rebuild_njt({values, offsets, lengths, ...}): name.values, name.offsets and, if there are any,
/// name.lengths.
std::vector<NamedTensor> jagged_parts(const Subject& subject, const Recipe& recipe);

}  // namespace weighbridge::torch
