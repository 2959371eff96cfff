// Floating tensors in another dtype, computed as they are read.
#pragma once

#include <memory>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge {

/// The tensor with its numbers as `to`. Memory is bounded, whatever is read, at any offset, by any thread.
/// REQUIRES: is_real_float(tensor's dtype), is_cast_target(to).
SourcePtr cast_source(const TensorEntry& tensor, DType to);

/// How many numbers of a source that cast_source() made were too large; 0 for any other source. Reads the
/// tensor once more if there were any among those that have been read, and nothing otherwise.
std::uint64_t count_cast_overflows(const ByteSource& source);

}  // namespace weighbridge
