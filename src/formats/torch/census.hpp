// How many tensors are below each value of a document.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

enum class Counted : std::uint8_t {
  TensorsAndArrays,
  Tensors,  ///< Those of torch alone.
};

/// Counted once for every node, however often it is shared, so that a small file of nested shared
/// containers costs no more than its size. A container that contains itself is cut there.
class Census {
 public:
  Census(const Document& document, Counted counted);

  /// Tensors that a walk from `node` meets, shared ones once for every way to them. Saturates.
  [[nodiscard]] std::uint64_t below(pickle::NodeId node) const noexcept {
    return node == pickle::kNoNode ? 0 : counts_[node];
  }

 private:
  std::vector<std::uint32_t> counts_;
};

}  // namespace weighbridge::torch
