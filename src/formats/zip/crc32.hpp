// The checksum of zip entries.
#pragma once

#include <cstdint>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::zip {

/// CRC-32 of the whole source, read front to back in small pieces. A difference from Entry::crc32
/// is for the caller to judge: loaders accept it, and some writers compute none.
[[nodiscard]] std::uint32_t compute_crc32(const ByteSource& source);

}  // namespace weighbridge::zip
