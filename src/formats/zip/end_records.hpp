// The records at the end of a zip archive, which say where its directory lies.
#pragma once

#include <cstdint>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::zip {

/// Where the directory lies and where the archive ends, by end records that agree with each other.
struct DirectoryExtent {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;      ///< As claimed; not yet compared with the directory's size.
  std::uint64_t archive_end = 0;  ///< First byte behind the archive's comment.
};

/// Whether an end-of-central-directory record stands where one may stand.
[[nodiscard]] bool has_end_record(const ByteSource& source);

/// The directory that the last end record describes. Throws MalformedArchive when the end records
/// contradict each other or the file, or when a second one is just as consistent; Unsupported for
/// an archive of several disks.
[[nodiscard]] DirectoryExtent find_directory(const ByteSource& source);

}  // namespace weighbridge::zip
