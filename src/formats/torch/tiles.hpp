// A tensor that is stored in pieces: boxes that lie side by side and fill it.
#pragma once

#include <cstdint>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/tensor.hpp>

namespace weighbridge::torch {

/// One box: its own tensor, of the shape of the box, and where its first element lies in the whole.
struct Tile {
  Shape offsets;
  TensorEntry tensor;
};

/// The whole tensor over its tiles; a single tile that is the whole is given back as it is.
/// Throws MalformedCheckpoint, naming the tensor, unless the tiles have the dtype and rank of `whole`, lie
/// inside of it, do not overlap and leave nothing out; Unsupported when they are stored in different byte
/// orders and when elements share bytes; LimitExceeded when there are too many to be compared;
/// ValidationOverflow.
TensorEntry join_tiles(const TensorSpec& whole, std::vector<Tile> tiles);

}  // namespace weighbridge::torch
