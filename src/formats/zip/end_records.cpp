#include "formats/zip/end_records.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "formats/zip/failure.hpp"

namespace weighbridge::zip {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kZip64EndSignature = 0x06064b50;
constexpr std::uint32_t kZip64LocatorSignature = 0x07064b50;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kZip64EndBytes = 56;
constexpr std::uint64_t kZip64LocatorBytes = 20;
constexpr std::uint64_t kMaxCommentBytes = 0xFFFF;

/// The fields that both kinds of end record have.
struct EndFields {
  std::uint64_t disk = 0;
  std::uint64_t directory_disk = 0;
  std::uint64_t entries_on_disk = 0;
  std::uint64_t entries = 0;
  std::uint64_t directory_bytes = 0;
  std::uint64_t directory_offset = 0;
};

struct Zip64End {
  EndFields fields;
  std::uint64_t offset = 0;
};

EndFields parse_end_fields(const std::byte* at) {
  return {load_le<std::uint16_t>(at + 4),  load_le<std::uint16_t>(at + 6),  load_le<std::uint16_t>(at + 8),
          load_le<std::uint16_t>(at + 10), load_le<std::uint32_t>(at + 12), load_le<std::uint32_t>(at + 16)};
}

EndFields parse_zip64_end_fields(const std::byte* at) {
  return {load_le<std::uint32_t>(at + 16), load_le<std::uint32_t>(at + 20), load_le<std::uint64_t>(at + 24),
          load_le<std::uint64_t>(at + 32), load_le<std::uint64_t>(at + 40), load_le<std::uint64_t>(at + 48)};
}

Error malformed(std::string_view what, std::uint64_t offset) {
  return archive_failure(ErrorCode::MalformedArchive, what, offset);
}

/// The end of the file, where every end record must begin.
class Tail {
 public:
  explicit Tail(const ByteSource& source)
      : offset_(source.size() - std::min(source.size(), kEndBytes + kMaxCommentBytes)),
        buffer_(source.read(offset_, source.size() - offset_)) {}

  /// Offsets in the file of all end records whose comment fits into the file, ascending.
  [[nodiscard]] std::vector<std::uint64_t> end_records() const {
    std::vector<std::uint64_t> found;
    for (std::uint64_t at = 0; at + kEndBytes <= buffer_.size(); ++at) {
      if (load_le<std::uint32_t>(bytes(at)) != kEndSignature) continue;
      if (range_fits(at + kEndBytes, comment_bytes(at), buffer_.size())) found.push_back(offset_ + at);
    }
    return found;
  }

  [[nodiscard]] EndFields fields(std::uint64_t end_record) const {
    return parse_end_fields(bytes(end_record - offset_));
  }

  [[nodiscard]] std::uint64_t archive_end(std::uint64_t end_record) const {
    return end_record + kEndBytes + comment_bytes(end_record - offset_);
  }

 private:
  [[nodiscard]] const std::byte* bytes(std::uint64_t at) const { return buffer_.bytes().data() + at; }
  [[nodiscard]] std::uint16_t comment_bytes(std::uint64_t at) const {
    return load_le<std::uint16_t>(bytes(at) + 20);
  }

  std::uint64_t offset_;
  Buffer buffer_;
};

/// The zip64 record, if a locator for it stands right before the end record.
std::optional<Zip64End> parse_zip64_end(const ByteSource& source, std::uint64_t end_record) {
  if (end_record < kZip64LocatorBytes) return std::nullopt;
  const std::uint64_t locator_offset = end_record - kZip64LocatorBytes;
  const Buffer locator = source.read(locator_offset, kZip64LocatorBytes);
  const std::byte* at = locator.bytes().data();
  if (load_le<std::uint32_t>(at) != kZip64LocatorSignature) return std::nullopt;
  if (load_le<std::uint32_t>(at + 4) != 0 || load_le<std::uint32_t>(at + 16) > 1) {
    throw archive_failure(ErrorCode::Unsupported, "not yet supported: archives of several disks",
                          locator_offset);
  }
  const auto offset = load_le<std::uint64_t>(at + 8);
  if (!range_fits(offset, kZip64EndBytes, locator_offset)) {
    throw malformed(
        fmt::format("the zip64 end record should stand at byte {}, which leaves it no room", offset),
        locator_offset);
  }
  const Buffer record = source.read(offset, kZip64EndBytes);
  if (load_le<std::uint32_t>(record.bytes().data()) != kZip64EndSignature) {
    throw malformed(fmt::format("the zip64 end record should stand at byte {} and does not", offset),
                    locator_offset);
  }
  const auto record_bytes = checked_add(load_le<std::uint64_t>(record.bytes().data() + 4), 12);
  if (record_bytes != locator_offset - offset) {
    throw malformed("the zip64 end record does not reach to its locator", offset);
  }
  return Zip64End{parse_zip64_end_fields(record.bytes().data()), offset};
}

/// A field of the plain end record is either all ones, for "see zip64", or equal to its zip64 twin.
template <typename Narrow>
void check_twin(std::uint64_t plain, std::uint64_t wide, std::string_view what, std::uint64_t offset) {
  if (plain == wide || plain == std::numeric_limits<Narrow>::max()) return;
  throw malformed(fmt::format("the end records disagree about {}: {} and, in zip64, {}", what, plain, wide),
                  offset);
}

void check_twins(const EndFields& plain, const EndFields& wide, std::uint64_t offset) {
  check_twin<std::uint16_t>(plain.disk, wide.disk, "the disk", offset);
  check_twin<std::uint16_t>(plain.directory_disk, wide.directory_disk, "the directory's disk", offset);
  check_twin<std::uint16_t>(plain.entries_on_disk, wide.entries_on_disk, "the entries on this disk", offset);
  check_twin<std::uint16_t>(plain.entries, wide.entries, "the number of entries", offset);
  check_twin<std::uint32_t>(plain.directory_bytes, wide.directory_bytes, "the directory's size", offset);
  check_twin<std::uint32_t>(plain.directory_offset, wide.directory_offset, "the directory's offset", offset);
}

void check_single_disk(const EndFields& fields, std::uint64_t offset) {
  if (fields.disk == 0 && fields.directory_disk == 0 && fields.entries_on_disk == fields.entries) return;
  throw archive_failure(ErrorCode::Unsupported, "not yet supported: archives of several disks", offset);
}

/// The directory must end where the end records begin: a gap is where offsets that count from
/// elsewhere (junk before the archive) and second directories would hide.
void check_directory_end(const EndFields& fields, std::uint64_t needed_end, std::uint64_t offset) {
  if (checked_add(fields.directory_offset, fields.directory_bytes) == needed_end) return;
  throw malformed(
      fmt::format("a directory of {} bytes at {} does not end at byte {}, where its end record begins",
                  fields.directory_bytes, fields.directory_offset, needed_end),
      offset);
}

DirectoryExtent read_extent(const ByteSource& source, const Tail& tail, std::uint64_t end_record) {
  EndFields fields = tail.fields(end_record);
  std::uint64_t directory_end = end_record;
  if (const auto zip64 = parse_zip64_end(source, end_record)) {
    check_twins(fields, zip64->fields, end_record);
    fields = zip64->fields;
    directory_end = zip64->offset;
  }
  check_single_disk(fields, end_record);
  check_directory_end(fields, directory_end, end_record);
  return {fields.directory_offset, fields.directory_bytes, fields.entries, tail.archive_end(end_record)};
}

bool is_consistent(const ByteSource& source, const Tail& tail, std::uint64_t end_record) {
  try {
    static_cast<void>(read_extent(source, tail, end_record));
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::IoError) throw;
    return false;
  }
}

}  // namespace

bool has_end_record(const ByteSource& source) { return !Tail(source).end_records().empty(); }

DirectoryExtent find_directory(const ByteSource& source) {
  const Tail tail(source);
  std::vector<std::uint64_t> candidates = tail.end_records();
  if (candidates.empty()) {
    throw malformed(fmt::format("no end record in the last {} bytes; the file may be cut short",
                                std::min(source.size(), kEndBytes + kMaxCommentBytes)),
                    source.size());
  }
  // Readers that search backwards take the last record, others the first that makes sense: the
  // last one must be sound and no other may be.
  const std::uint64_t last = candidates.back();
  candidates.pop_back();
  const DirectoryExtent extent = read_extent(source, tail, last);
  for (const std::uint64_t other : candidates) {
    if (!is_consistent(source, tail, other)) continue;
    throw malformed(
        fmt::format("a second end record, at byte {}, is just as consistent; readers would disagree", other),
        last);
  }
  return extent;
}

}  // namespace weighbridge::zip
