// Changing the metadata and the names of tensors in a file that exists, without a look at their bytes.
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

/// A tensor's other name.
struct TensorRename {
  std::string from;
  std::string to;
};

/// What becomes of a header.
struct HeaderEdit {
  MetadataEdit metadata = {};
  std::vector<TensorRename> rename = {};  ///< All at once: names can be exchanged.
};

/// An edit that is decided and not yet made.
struct EditPlan {
  std::string before;         ///< The file up to its data section, as it is.
  std::string after;          ///< The same with the edit; as long where its spaces suffice.
  std::uint64_t room_at = 0;  ///< Byte of `after` where spaces for later edits go.
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
  bool changed = false;              ///< False when the header is as wanted already.
  bool in_place = false;             ///< The file was changed where it lies.
  std::uint64_t bytes_written = 0;   ///< The whole file after a rewrite.
  std::uint64_t bytes_inserted = 0;  ///< What the file has grown by in place.
  std::string why = {};              ///< The reason for the way it was done; empty when nothing changed.
};

/// Changes the header of the safetensors file at `path`; every tensor keeps its dtype, shape and bytes.
/// Metadata that mention a tensor, and an index of several files, keep the name that they have.
///
/// At every moment, however the process ends, there is the old file or the new one. The header is
/// changed in place only where one write, which nothing can tear, does it: when all that changes lies
/// within one page of the file, or, with a durability that has to survive a loss of power, within one
/// sector of 512 bytes. Spaces behind the metadata, behind an entry whose name got shorter, or at the end of
/// a small header, are the room for that. In all other cases a new file is written beside the old one, its
/// data copied inside the kernel, and renamed over it; links with other names then keep the old file. Who
/// reads the header at the very moment of a write in place may find parts of both.
///
/// `insert` makes an edit of any file as fast as one in place, for a weaker promise: between the insertion
/// and the write of the header, some microseconds, the file is neither the old one nor the new. It then
/// begins with 8 zero bytes, which every reader refuses, and a process that is killed there leaves it so,
/// beside a journal
/// `.weighbridge-NAME.edit`: the next edit of the file, even one that changes nothing, makes it the
/// new one. Files with other hard links, and those that anybody else has open or mapped, are never inserted
/// into but rewritten; so are files of other users, for which the kernel does not tell.
///
/// Throws what read_header throws, TensorNotFound, NameCollision (two tensors of one name), ReservedName,
/// HeaderTooLarge, InvalidHeader (text that is not UTF-8), InvalidArgument (a tensor that is renamed twice; a
/// rewrite that is needed and not allowed), IoError.
WB_EXPORT EditReport edit_header(const std::filesystem::path& path, const HeaderEdit& edit,
                                 const EditOptions& options = {});

/// The same for the metadata alone.
WB_EXPORT EditReport edit_metadata(const std::filesystem::path& path, const MetadataEdit& edit,
                                   const EditOptions& options = {});

// The steps of edit_header, for those who read the file where they cannot write it, as a worker does.

/// Finishes an insertion that the end of a process has interrupted; does nothing when there was none.
/// Throws IoError.
WB_EXPORT void finish_edit(const std::filesystem::path& path);

/// Decides what becomes of the header of `file`. Pure. Throws what edit_header throws before it writes.
WB_EXPORT EditPlan plan_edit(const ByteSource& file, const HeaderEdit& edit);

/// Carries the plan out. It may come from a process that nobody trusts: the header is then as good as that
/// process, and nothing but the header changes. Throws InvalidArgument for a file whose header is not the one
/// that was planned for, and what edit_header throws while it writes.
WB_EXPORT EditReport execute_edit(const std::filesystem::path& path, const EditPlan& plan,
                                  const EditOptions& options = {});

}  // namespace weighbridge
