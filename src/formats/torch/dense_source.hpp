// A sparse tensor written out in full: zeros, and blocks of values where its indices say.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "formats/torch/accumulate.hpp"
#include "formats/torch/computed_source.hpp"
#include "formats/torch/operand.hpp"

namespace weighbridge::torch {

/// Where one block of values goes.
struct Slot {
  std::uint64_t key = 0;    ///< Position among the blocks of the result, in row-major order.
  std::uint64_t entry = 0;  ///< Position among the blocks of the values.
  friend auto operator<=>(const Slot&, const Slot&) = default;
};

/// The shape of the result, as far as filling it needs to know. A block has `block_rows` rows of
/// `block_width` elements; `blocks_across` blocks stand side by side in a row of the result.
struct DensePlan {
  std::uint64_t bytes = 0;
  std::uint64_t block_rows = 1;
  std::uint64_t block_width = 1;
  std::uint64_t blocks_across = 1;
  Accumulate add = nullptr;  ///< Null: blocks are copied; no two have one key.
  /// Reads and checks the indices; called once, when the first byte is read. Sorted by key, then entry.
  std::function<std::vector<Slot>()> load = {};
};

/// The indices are held in memory from the first read on, the values and the result never are: but for
/// values that are out of order in a compressed entry of the archive, which are held too.
SourcePtr dense_source(Content values, DensePlan plan, std::uint64_t most_held_bytes);

}  // namespace weighbridge::torch
