// Writing through a mapping: threads that write to one file wait for each other, those that fill its pages do
// not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::io {

/// Whether writes to the file can neither raise SIGBUS for want of space nor because somebody else made it
/// shorter: it has no name yet, and lies on a file system that keeps the space which it has promised.
bool is_safe_to_map(int descriptor) noexcept;

/// Puts `bytes` at `offset` of a file whose space is taken, through a mapping of that part. Returns how many
/// it were: fewer when the system would not go on.
std::uint64_t write_mapped(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes) noexcept;

/// The same with what lies in another file, which is read to where it belongs and never mapped. Fewer also
/// where that file ends or cannot be read.
std::uint64_t copy_mapped(FileExtent from, int descriptor, std::uint64_t offset,
                          std::uint64_t length) noexcept;

}  // namespace weighbridge::io
