// Tensors that belong to several processes, of which a file holds the part of one.
#pragma once

#include <optional>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/recipe.hpp"
#include "formats/torch/subject.hpp"
#include "formats/torch/tree.hpp"

namespace weighbridge::torch {

/// The local tensor of a DTensor, which is the whole: every placement is Replicate, or the local
/// shape is the global one. Throws Unsupported naming what is missing otherwise, and for partial sums.
NamedTensor whole_of_dtensor(const Subject& subject, const Recipe& recipe);

/// A ShardedTensor whose shards are all in the file, each copied to its place. Throws Unsupported
/// naming the shards that are not, MalformedCheckpoint when shards overlap or leave the tensor.
std::vector<TensorEntry> rebuild_sharded(const Subject& subject, const Recipe& recipe);

}  // namespace weighbridge::torch
