#include "formats/zip/directory.hpp"

#include <span>
#include <string_view>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "formats/zip/entry_name.hpp"
#include "formats/zip/extra_fields.hpp"
#include "formats/zip/failure.hpp"
#include "formats/zip/flags.hpp"
#include "formats/zip/forward_reader.hpp"

namespace weighbridge::zip {
namespace {

constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint64_t kCentralBytes = 46;
constexpr std::uint32_t kSeeZip64 = 0xFFFFFFFF;
constexpr std::uint16_t kDiskSeeZip64 = 0xFFFF;
constexpr std::uint32_t kFileTypeMask = 0170000;
constexpr std::uint32_t kRegularFile = 0100000;
constexpr std::uint32_t kFolder = 0040000;
constexpr std::uint32_t kSymbolicLink = 0120000;

/// The fixed part of a central header, as it stands in the file.
struct FixedPart {
  std::uint32_t signature;
  std::uint16_t flags;
  std::uint16_t method;
  std::uint32_t crc32;
  std::uint32_t compressed_bytes;
  std::uint32_t bytes;
  std::uint16_t name_bytes;
  std::uint16_t extra_bytes;
  std::uint16_t comment_bytes;
  std::uint16_t disk;
  std::uint32_t external_attributes;
  std::uint32_t local_offset;
};

FixedPart parse_fixed_part(const std::byte* at) {
  return {.signature = load_le<std::uint32_t>(at),
          .flags = load_le<std::uint16_t>(at + 8),
          .method = load_le<std::uint16_t>(at + 10),
          .crc32 = load_le<std::uint32_t>(at + 16),
          .compressed_bytes = load_le<std::uint32_t>(at + 20),
          .bytes = load_le<std::uint32_t>(at + 24),
          .name_bytes = load_le<std::uint16_t>(at + 28),
          .extra_bytes = load_le<std::uint16_t>(at + 30),
          .comment_bytes = load_le<std::uint16_t>(at + 32),
          .disk = load_le<std::uint16_t>(at + 34),
          .external_attributes = load_le<std::uint32_t>(at + 38),
          .local_offset = load_le<std::uint32_t>(at + 42)};
}

Error malformed(const CentralHeader& header, std::string_view what) {
  return entry_failure(ErrorCode::MalformedArchive, header.name, what, header.header_offset);
}

Error unsupported(const CentralHeader& header, std::string_view what) {
  return entry_failure(ErrorCode::Unsupported, header.name, what, header.header_offset);
}

/// Takes the 64-bit values that stand in for fields of all ones, in the order the format gives them.
class Zip64Values {
 public:
  Zip64Values(std::span<const std::byte> content, const CentralHeader& header)
      : content_(content), header_(header) {}

  std::uint64_t resolve(std::uint32_t field) { return field == kSeeZip64 ? take<std::uint64_t>() : field; }
  std::uint32_t resolve_disk(std::uint16_t field) {
    return field == kDiskSeeZip64 ? take<std::uint32_t>() : field;
  }

 private:
  template <typename T>
  T take() {
    if (content_.size() < sizeof(T))
      throw malformed(header_, "its zip64 field lacks a value that it announces");
    const T value = load_le<T>(content_.data());
    content_ = content_.subspan(sizeof(T));
    return value;
  }

  std::span<const std::byte> content_;
  const CentralHeader& header_;
};

/// Sizes, offset and disk, from the zip64 field where there is one.
void resolve_sizes(CentralHeader& header, const FixedPart& fixed, std::span<const std::byte> extra) {
  header.bytes = fixed.bytes;
  header.compressed_bytes = fixed.compressed_bytes;
  header.local_offset = fixed.local_offset;
  std::uint32_t disk = fixed.disk;
  if (const auto zip64 = find_extra(extra, kZip64Extra, header.name, header.header_offset)) {
    Zip64Values values(*zip64, header);
    header.bytes = values.resolve(fixed.bytes);
    header.compressed_bytes = values.resolve(fixed.compressed_bytes);
    header.local_offset = values.resolve(fixed.local_offset);
    disk = values.resolve_disk(fixed.disk);
  }
  if (disk != 0) throw unsupported(header, fmt::format("not yet supported: lies on disk {}", disk));
}

void check_flags(const CentralHeader& header, std::uint16_t flags) {
  if ((flags & kAnyEncryption) != 0) {
    throw unsupported(header, fmt::format("not yet supported: encryption (flags {:#06x})", flags));
  }
  if ((flags & kPatchData) != 0) {
    throw unsupported(header, fmt::format("not yet supported: patch data (flags {:#06x})", flags));
  }
}

Method parse_method(const CentralHeader& header, std::uint16_t method) {
  if (method == 0) return Method::Stored;
  if (method == 8) return Method::Deflated;
  throw unsupported(
      header,
      fmt::format("not yet supported: compression method {}; stored (0) and deflated (8) are", method));
}

/// Unix writers keep the file's mode in the upper half of the external attributes.
void check_file_type(const CentralHeader& header, std::uint32_t external_attributes) {
  const std::uint32_t type = (external_attributes >> 16) & kFileTypeMask;
  if (type == kSymbolicLink) throw malformed(header, "is a symbolic link; a checkpoint holds files only");
  if (type == 0 || type == kRegularFile) return;
  if (type != kFolder) throw malformed(header, fmt::format("is a special file (mode type {:#o})", type));
  if (!header.is_directory()) throw malformed(header, "is a folder by its mode and a file by its name");
}

void check_sizes(const CentralHeader& header) {
  if (header.is_directory() && header.bytes != 0) {
    throw malformed(header, fmt::format("is a folder and has {} bytes", header.bytes));
  }
  if (header.method == Method::Stored && header.bytes != header.compressed_bytes) {
    throw malformed(header, fmt::format("is stored, yet {} bytes take {} in the archive", header.bytes,
                                        header.compressed_bytes));
  }
}

/// Info-ZIP's second name for the entry: some readers use it in place of the first.
void check_unicode_path(const CentralHeader& header, std::span<const std::byte> extra) {
  constexpr std::size_t kVersionAndCrcBytes = 5;
  const auto field = find_extra(extra, kUnicodePathExtra, header.name, header.header_offset);
  if (!field || field->size() < kVersionAndCrcBytes) return;
  const auto path = field->subspan(kVersionAndCrcBytes);
  const std::string_view other(reinterpret_cast<const char*>(path.data()), path.size());
  if (other != header.name) throw malformed(header, "has a different name in its Unicode path field");
}

FixedPart take_fixed_part(ForwardReader& reader) {
  const std::uint64_t offset = reader.position();
  if (reader.remaining() < kCentralBytes) {
    throw archive_failure(ErrorCode::MalformedArchive, "the directory ends within a header", offset);
  }
  const FixedPart fixed = parse_fixed_part(reader.take(kCentralBytes).data());
  if (fixed.signature != kCentralSignature) {
    throw archive_failure(
        ErrorCode::MalformedArchive,
        fmt::format("a directory header begins with {:#010x} in place of its signature", fixed.signature),
        offset);
  }
  if (reader.remaining() < std::uint64_t{fixed.name_bytes} + fixed.extra_bytes + fixed.comment_bytes) {
    throw archive_failure(ErrorCode::MalformedArchive, "the directory ends within a header's name or fields",
                          offset);
  }
  return fixed;
}

CentralHeader parse_header(ForwardReader& reader) {
  CentralHeader header;
  header.header_offset = reader.position();
  const FixedPart fixed = take_fixed_part(reader);
  const auto name = reader.take(fixed.name_bytes);
  header.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  check_name(header.name, header.header_offset);
  const auto extra = reader.take(fixed.extra_bytes);
  resolve_sizes(header, fixed, extra);
  check_unicode_path(header, extra);
  check_flags(header, fixed.flags);
  header.method = parse_method(header, fixed.method);
  header.crc32 = fixed.crc32;
  check_file_type(header, fixed.external_attributes);
  check_sizes(header);
  reader.take(fixed.comment_bytes);
  return header;
}

/// The number of entries is a claim until it is held against the limit and the directory's size.
void check_entry_count(const DirectoryExtent& extent, const Limits& limits) {
  if (extent.entries > limits.archive_entries) {
    throw archive_failure(ErrorCode::LimitExceeded,
                          fmt::format("{} entries, the limit is {}", extent.entries, limits.archive_entries),
                          extent.offset);
  }
  if (extent.entries > extent.bytes / kCentralBytes) {
    throw archive_failure(
        ErrorCode::MalformedArchive,
        fmt::format("a directory of {} bytes cannot hold {} entries", extent.bytes, extent.entries),
        extent.offset);
  }
}

}  // namespace

std::vector<CentralHeader> parse_directory(const ByteSource& source, const DirectoryExtent& extent,
                                           const Limits& limits) {
  check_entry_count(extent, limits);
  std::vector<CentralHeader> headers;
  headers.reserve(extent.entries);
  ForwardReader reader(source, extent.offset, extent.bytes);
  for (std::uint64_t i = 0; i < extent.entries; ++i) headers.push_back(parse_header(reader));
  if (reader.remaining() != 0) {
    throw archive_failure(ErrorCode::MalformedArchive,
                          fmt::format("the directory goes on for {} bytes behind its {} entries",
                                      reader.remaining(), extent.entries),
                          reader.position());
  }
  return headers;
}

}  // namespace weighbridge::zip
