// The header in front of an entry's data: it must exist and may not contradict the directory.
#pragma once

#include <cstdint>

#include <weighbridge/byte_source.hpp>

#include "formats/zip/directory.hpp"

namespace weighbridge::zip {

/// Offset of the first byte of the entry's data. `data_limit` is where the directory begins, which
/// header and data must stay in front of. Throws MalformedArchive where the local header is missing
/// or tells a reader something else than `central` does; zero sizes and CRC, as torch writes them,
/// tell nothing.
[[nodiscard]] std::uint64_t check_local_header(const ByteSource& source, const CentralHeader& central,
                                               std::uint64_t data_limit);

}  // namespace weighbridge::zip
