// Changing the metadata of a file that exists, without a look at its tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <weighbridge/export.hpp>
#include <weighbridge/header.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge {

/// What becomes of the metadata, in this order.
struct MetadataEdit {
  bool clear = false;                   ///< Drop every key.
  std::vector<std::string> unset = {};  ///< Drop these, where they exist.
  Metadata set = {};                    ///< Give these a value.
};

struct EditOptions {
  /// Spaces that a rewritten header keeps behind its metadata, so that later edits need no rewrite.
  std::uint64_t slack = 0;
  /// Let the file system insert blocks where the header has no room (ext4, XFS), instead of a rewrite: see
  /// below.
  bool insert = false;
  bool rewrite = true;  ///< Whether the file may be written anew where an edit in place is not safe.
  /// Of the rewrite. `overwrite` does not apply; `durability` applies to an edit in place too.
  WriteOptions write = {};
};

struct EditReport {
  bool changed = false;              ///< False when the metadata are as wanted already.
  bool in_place = false;             ///< The file was changed where it lies.
  std::uint64_t bytes_written = 0;   ///< The whole file after a rewrite.
  std::uint64_t bytes_inserted = 0;  ///< What the file has grown by in place.
};

/// Changes the metadata of the safetensors file at `path`; every tensor keeps its entry and its bytes.
///
/// At every moment, however the process ends, there is the old file or the new one. The header is
/// changed in place only where one write, which nothing can tear, does it: when all that changes lies
/// within one page of the file, or, with a durability that has to survive a loss of power, within one
/// sector of 512 bytes. Spaces behind the metadata, or at the end of a small header, are the room for
/// that. In all other cases a new file is written beside the old one, its data copied inside the
/// kernel, and renamed over it; links with other names then keep the old file. Who reads the header at
/// the very moment of a write in place may find parts of both.
///
/// `insert` makes an edit of any file as fast as one in place, for a weaker promise: between the insertion
/// and the write of the header, some microseconds, the file is neither the old one nor the new. It then
/// begins with 8 zero bytes, which every reader refuses, and a process that is killed there leaves it so,
/// beside a journal
/// `.weighbridge-NAME.edit`: the next edit_metadata of the file, even one that changes nothing, makes it the
/// new one. Files with other hard links, and those that anybody else has open or mapped, are never inserted
/// into but rewritten; so are files of other users, for which the kernel does not tell.
///
/// Throws what read_header throws, HeaderTooLarge, InvalidHeader (text that is not UTF-8),
/// InvalidArgument when a rewrite is needed and not allowed, IoError.
WB_EXPORT EditReport edit_metadata(const std::filesystem::path& path, const MetadataEdit& edit,
                                   const EditOptions& options = {});

}  // namespace weighbridge
