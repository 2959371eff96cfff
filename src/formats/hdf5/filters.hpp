// The filters of chunks, undone. Pure functions of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weighbridge::hdf5 {

enum class Filter : std::uint8_t { Deflate, Shuffle, Fletcher32, Lzf };

/// The text for people: "deflate".
std::string_view filter_name(Filter filter) noexcept;

/// Undoes `filters`, which were applied in their order but for those whose bit is set in `skipped`, and
/// gives exactly `bytes` bytes. `element_bytes` is what shuffle went by.
/// Throws MalformedCheckpoint when the bytes are damaged or give another size; LimitExceeded when more
/// is declared than their compression can give; Unsupported for two compressions in a row.
std::vector<std::byte> undo_filters(std::vector<std::byte> stored, std::span<const Filter> filters,
                                    std::uint32_t skipped, std::uint64_t element_bytes, std::uint64_t bytes);

/// HDF5's checksum: Fletcher's over words of 16 bits, high byte first.
std::uint32_t fletcher32(std::span<const std::byte> bytes) noexcept;

}  // namespace weighbridge::hdf5
