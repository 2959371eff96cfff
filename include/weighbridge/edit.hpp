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
  bool rewrite = true;  ///< Whether the file may be written anew where an edit in place is not safe.
  /// Of the rewrite. `overwrite` does not apply; `durability` applies to an edit in place too.
  WriteOptions write = {};
};

struct EditReport {
  bool changed = false;             ///< False when the metadata are as wanted already.
  bool in_place = false;            ///< The file was changed where it lies.
  std::uint64_t bytes_written = 0;  ///< The whole file after a rewrite.
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
/// Throws what read_header throws, HeaderTooLarge, InvalidHeader (text that is not UTF-8),
/// InvalidArgument when a rewrite is needed and not allowed, IoError.
WB_EXPORT EditReport edit_metadata(const std::filesystem::path& path, const MetadataEdit& edit,
                                   const EditOptions& options = {});

}  // namespace weighbridge
