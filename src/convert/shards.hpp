// Which tensors share a file.
#pragma once

#include <cstdint>
#include <vector>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge {

/// Positions of the tensors of each file. Without a bound as the input had them, files that became empty
/// left out; otherwise as transformers does: in order, a new file when the next tensor does not fit, and a
/// tensor above the bound in a file of its own.
std::vector<std::vector<std::size_t>> split_tensors(const Checkpoint& checkpoint,
                                                    std::uint64_t max_shard_bytes);

/// The part of a checkpoint that goes into one file. Of the metadata it has all but the aliases of
/// tensors in other files.
Checkpoint select_tensors(const Checkpoint& checkpoint, const std::vector<std::size_t>& positions);

/// Tensors of different files with equal content are reported ("EqualTensors"): a checkpoint in several
/// files can have ties that only their bytes show. Reads tensors that look alike.
void report_equal_tensors(Checkpoint& checkpoint);

}  // namespace weighbridge
