// Zip archives as a container of checkpoints: one authoritative directory, no ambiguity.
//
// Names, sizes and positions come from the central directory alone (torch writes zeros into local
// headers); where a local header says something else that a reader could act on, the archive is
// refused. Rules and reasons: docs/formats/zip.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/zip/entry_name.hpp"

namespace weighbridge::zip {

enum class Method : std::uint8_t { Stored, Deflated };

/// One file of the archive.
struct Entry {
  std::string name;
  Method method = Method::Stored;
  std::uint64_t bytes = 0;  ///< Uncompressed.
  std::uint64_t compressed_bytes = 0;
  std::uint32_t crc32 = 0;        ///< 0 also when the writer computed none.
  std::uint64_t data_offset = 0;  ///< Of the first (compressed) byte, in the archive.
};

/// Whether `source` starts like a zip archive and has an end-of-central-directory record.
bool looks_like_zip(const ByteSource& source);

/// A directory that was checked as a whole: no duplicates, no overlapping entries, no encryption, only stored
/// and deflated, every byte range inside the file. Immutable; open() may be called by several threads.
class Archive {
 public:
  /// Throws MalformedArchive, Unsupported (method, encryption, several disks), LimitExceeded.
  static Archive read(SourcePtr source, const Limits& limits, NameCase name_case = NameCase::Folded);

  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }  ///< Directory order.
  [[nodiscard]] const Entry* find(std::string_view name) const noexcept;

  /// The content of an entry: a part of the archive when stored, inflated on the fly when deflated.
  /// An inflated source reads at any offset with bounded memory and throws MalformedArchive when
  /// the stream is damaged or does not give exactly `entry.bytes` bytes.
  [[nodiscard]] SourcePtr open(const Entry& entry) const;

  /// Warnings: trailing bytes behind the archive, and the like.
  [[nodiscard]] const Findings& findings() const noexcept { return findings_; }

 private:
  Archive() = default;

  SourcePtr source_;
  std::vector<Entry> entries_;
  std::vector<std::size_t> by_name_;  ///< Positions in entries_, ordered by name.
  NameCase name_case_ = NameCase::Folded;
  Findings findings_;
  Limits limits_;
};

}  // namespace weighbridge::zip
