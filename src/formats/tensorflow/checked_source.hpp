// Bytes with a checksum, which is looked at before the first of them is given away.
#pragma once

#include <cstdint>
#include <string>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::tensorflow {

/// The `bytes` of `file` from `offset` on, which have the masked CRC-32C `crc`: all of them are read once,
/// when somebody first asks for any. Reading, mapping and asking for the extent throw MalformedCheckpoint,
/// naming the tensor, when the checksum is another. REQUIRES: the range lies in the file.
[[nodiscard]] SourcePtr checked_source(SourcePtr file, std::uint64_t offset, std::uint64_t bytes,
                                       std::uint32_t crc, std::string name);

}  // namespace weighbridge::tensorflow
