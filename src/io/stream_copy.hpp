// Copies into memory that is large and is not looked at soon.
#pragma once

#include <cstddef>
#include <span>

namespace weighbridge::io {

/// Copies `from` to as many bytes at `to`, past the processor's caches where it can be told to (x86-64). Any
/// alignment; the two do not overlap.
///
/// A usual store fetches what is there before it is overwritten. Without that a GiB that is copied to memory
/// in use takes half to two thirds of the time. Memory that was just made is better copied to through the
/// caches, where its zeros still are, as is what fits into them and is read next.
void stream_copy(std::span<const std::byte> from, std::byte* to) noexcept;

}  // namespace weighbridge::io
