// A longer header for a file of any size, in a time that does not depend on it: the file system inserts
// blocks in front of the data (ext4, XFS).
//
// The bytes between the two calls, the insertion and the write of the header, belong to no valid file: its
// first 8 bytes are zero then, which every reader refuses, and they are written last. A journal beside the
// file, complete from the moment it has its name, holds what is to be written; whoever edits next finishes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include <weighbridge/write.hpp>

namespace weighbridge::io {

/// Finishes an insertion that the end of a process has interrupted; does nothing when there was none.
/// `descriptor` is open for writing on the file at `path`. Throws IoError.
void finish_insertion(const std::filesystem::path& path, int descriptor);

/// Bytes that the file system can insert: the least multiple of its blocks that is not below `least`.
std::uint64_t insertable_bytes(int descriptor, std::uint64_t least);

/// Inserts what `head` is longer than `old_head` and writes `head` there. False, and nothing has changed,
/// when that cannot be done or must not be: no support, another name or another opener of the file, a
/// mapping. REQUIRES: the difference is insertable. Throws IoError.
bool insert_head(const std::filesystem::path& path, int descriptor, std::uint64_t old_head,
                 std::string_view head, Durability durability);

}  // namespace weighbridge::io
