// Whether tensors hold the same bytes: sharded checkpoints can be tied in no other way.
#pragma once

#include <string>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::sharded {

/// Same dtype, shape and bytes. Reads both in small pieces, up to the first difference.
bool is_equal(const TensorEntry& one, const TensorEntry& other);

/// Some bytes from the start, the middle and the end: tensors with different samples differ.
std::string sample(const TensorEntry& entry);

/// Whether every element is the same, as in layers that were never trained: such tensors are equal by
/// chance.
bool is_uniform(const TensorEntry& entry);

}  // namespace weighbridge::sharded
