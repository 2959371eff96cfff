// The central directory: the one place that says what an archive holds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>

#include "formats/zip/archive.hpp"
#include "formats/zip/end_records.hpp"

namespace weighbridge::zip {

/// One header of the central directory, zip64 resolved.
struct CentralHeader {
  std::string name;
  Method method = Method::Stored;
  std::uint32_t crc32 = 0;
  std::uint64_t bytes = 0;
  std::uint64_t compressed_bytes = 0;
  std::uint64_t local_offset = 0;   ///< Of the local header.
  std::uint64_t header_offset = 0;  ///< Of this header, for messages.

  [[nodiscard]] bool is_directory() const noexcept { return name.ends_with('/'); }
};

/// All headers in the order of the directory, each checked by itself: name, method, flags, kind of
/// file, sizes. Throws MalformedArchive, Unsupported, LimitExceeded.
[[nodiscard]] std::vector<CentralHeader> parse_directory(const ByteSource& source,
                                                         const DirectoryExtent& extent, const Limits& limits);

}  // namespace weighbridge::zip
