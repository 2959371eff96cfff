// The geometry of a tensor over its storage: sizes, strides and offset, checked before anything
// is computed from them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <weighbridge/limits.hpp>
#include <weighbridge/tensor.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// Reads (offset, size, stride) nodes. Throws MalformedCheckpoint: not integers, negative, sizes
/// and strides of different number, more dimensions than limits.rank.
Geometry parse_geometry(const pickle::Graph& graph, pickle::NodeId offset, pickle::NodeId sizes,
                        pickle::NodeId strides, std::string_view tensor, const Limits& limits);

/// Checks that every element lies inside `storage_bytes` bytes.
/// Throws ValidationOverflow, TensorOutOfBounds.
void check_bounds(const Geometry& geometry, std::uint64_t element_bytes, const Storage& storage,
                  std::string_view tensor);

/// Refuses a tensor that is far larger than what it is a view of. Throws LimitExceeded.
void check_expansion(const Geometry& geometry, std::uint64_t element_bytes, const Storage& storage,
                     std::string_view tensor, const Limits& limits);

/// Whether the elements lie one after another in row-major order. Strides of dimensions of one
/// element do not matter, nor do any strides of a tensor without elements.
bool is_contiguous(const Geometry& geometry) noexcept;

}  // namespace weighbridge::torch
