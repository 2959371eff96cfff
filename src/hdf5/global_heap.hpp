// Global heaps, where HDF5 keeps texts: checked before libhdf5 sees them.
#pragma once

#include <span>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::hdf5 {

/// Whether bytes that libhdf5 asks for are the start of a collection of objects.
[[nodiscard]] bool starts_global_heap(std::span<const std::byte> bytes) noexcept;

/// libhdf5 takes the sizes in a collection for true: with an empty free object it never ends, and an object
/// larger than its collection makes it read foreign memory. `at` is the collection's place, `length_bytes`
/// how many bytes a length has in this file. Throws MalformedCheckpoint.
void check_global_heap(const ByteSource& source, std::uint64_t at, std::size_t length_bytes);

}  // namespace weighbridge::hdf5
