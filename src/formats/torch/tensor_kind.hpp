// Which kind of tensor a node describes.
#pragma once

#include <cstdint>
#include <optional>

#include "formats/torch/document.hpp"
#include "formats/torch/recipe.hpp"

namespace weighbridge::torch {

enum class TensorKind : std::uint8_t {
  Storage,      ///< A storage that stands for itself.
  Array,        ///< A numpy array.
  Table,        ///< A view of a storage by a table of the container.
  Strided,      ///< A view of a storage.
  Sparse,       ///< COO and the compressed layouts.
  Quantized,    ///< Integers with a scale.
  Meta,         ///< A shape and a dtype, and no data.
  Nested,       ///< Components of different shapes in one buffer, by tables.
  Jagged,       ///< The same by offsets, a tensor subclass.
  Wrapper,      ///< Any other subclass that holds its data in tensors of its own.
  Distributed,  ///< DTensor: this process' part of one.
  Sharded,      ///< ShardedTensor, its predecessor.
  Device,       ///< Moved to the processor for saving, as a tensor or as a numpy array.
  Reference,    ///< To a table of tensors that the container lacks; with it, the kind is Table.
};

struct TensorNode {
  TensorKind kind = TensorKind::Strided;
  Recipe recipe;  ///< Empty for the kinds above Strided.
};

/// Nothing when the node describes no tensor.
std::optional<TensorNode> find_tensor(const Document& document, pickle::NodeId node);

}  // namespace weighbridge::torch
