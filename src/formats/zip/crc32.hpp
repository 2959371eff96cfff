// The checksum of zip entries.
#pragma once

#include <cstdint>

#include <weighbridge/byte_source.hpp>

#include "formats/zip/archive.hpp"

namespace weighbridge::zip {

/// CRC-32 of the whole source, read front to back in small pieces. A difference from Entry::crc32
/// is for the caller to judge: loaders accept it, and some writers compute none.
[[nodiscard]] std::uint32_t compute_crc32(const ByteSource& source);

/// For formats whose loaders do look: throws MalformedArchive unless `content` has the checksum of the
/// directory. An entry without one passes.
void check_crc32(const Entry& entry, const ByteSource& content);

}  // namespace weighbridge::zip
