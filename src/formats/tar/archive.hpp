// Tar archives as a container of checkpoints, read where they lie and never unpacked. What is
// refused and why: docs/formats/torch.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>

namespace weighbridge::tar {

/// One regular file of the archive.
struct Member {
  std::string name = {};            ///< Without a leading "./"; unique without regard to case.
  std::uint64_t header_offset = 0;  ///< Of its header block.
  std::uint64_t offset = 0;         ///< Of its first byte.
  std::uint64_t bytes = 0;
};

/// Whether the first block is a header: "ustar" where it belongs, or a checksum that is right,
/// because tar files of 1988 have no magic number.
[[nodiscard]] bool looks_like_tar(const ByteSource& source);

/// The regular files in the order of the archive, each within the file and without overlap. Folders
/// and notes on times and owners are passed over. Throws MalformedArchive for what could make two
/// readers see different archives: links, devices, sparse files, headers that rename or resize the
/// next member, sizes that are no plain octal number or do not fit the file, wrong checksums, names
/// that leave the folder or occur twice, bytes behind the end; LimitExceeded.
[[nodiscard]] std::vector<Member> read_members(const ByteSource& source, const Limits& limits);

}  // namespace weighbridge::tar
