// The content of a dataset that was never written: its fill value, again and again.
#pragma once

#include <vector>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::hdf5 {

/// `bytes` bytes of `element`, repeated. REQUIRES: an element of at least one byte.
SourcePtr fill_source(std::vector<std::byte> element, std::uint64_t bytes);

/// Writes the bytes that such a source has from `offset` on.
void fill_with(std::span<const std::byte> element, std::uint64_t offset, std::span<std::byte> out);

}  // namespace weighbridge::hdf5
