#include "formats/zip/archive.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "formats/zip/checks.hpp"
#include "formats/zip/directory.hpp"
#include "formats/zip/end_records.hpp"
#include "formats/zip/entry_name.hpp"
#include "formats/zip/failure.hpp"
#include "formats/zip/inflated_source.hpp"
#include "formats/zip/local_header.hpp"

namespace weighbridge::zip {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;  // begins an archive without entries

std::vector<EntryExtent> read_extents(const ByteSource& source, std::span<const CentralHeader> headers,
                                      std::uint64_t directory_offset) {
  std::vector<EntryExtent> extents;
  extents.reserve(headers.size());
  for (const CentralHeader& header : headers) {
    const std::uint64_t data_offset = check_local_header(source, header, directory_offset);
    extents.push_back({header.local_offset, data_offset + header.compressed_bytes});
  }
  return extents;
}

/// The files among the entries; folders hold nothing. Takes the names over.
std::vector<Entry> take_files(std::vector<CentralHeader> headers, std::span<const EntryExtent> extents) {
  std::vector<Entry> files;
  files.reserve(headers.size());
  for (std::size_t i = 0; i < headers.size(); ++i) {
    CentralHeader& header = headers[i];
    if (header.is_directory()) continue;
    files.push_back({.name = std::move(header.name),
                     .method = header.method,
                     .bytes = header.bytes,
                     .compressed_bytes = header.compressed_bytes,
                     .crc32 = header.crc32,
                     .data_offset = extents[i].end - header.compressed_bytes});
  }
  return files;
}

void note_trailing_bytes(Findings& findings, const DirectoryExtent& directory, std::uint64_t file_bytes) {
  if (directory.archive_end == file_bytes) return;
  findings.push_back({Severity::Warning,
                      "TrailingBytes",
                      fmt::format("{} bytes behind the end of the zip archive (byte {}) are ignored",
                                  file_bytes - directory.archive_end, directory.archive_end),
                      {},
                      directory.archive_end});
}

void check_inflated_size(const Entry& entry, const Limits& limits) {
  // A product that does not fit 64 bits is above every size.
  const auto by_ratio = checked_mul(limits.inflated_ratio, entry.compressed_bytes);
  if (!by_ratio || entry.bytes <= std::max(limits.inflated_floor, *by_ratio)) return;
  throw entry_failure(
      ErrorCode::LimitExceeded, entry.name,
      fmt::format("{} bytes would inflate to {}; the limit is {} bytes or {} times the size",
                  entry.compressed_bytes, entry.bytes, limits.inflated_floor, limits.inflated_ratio),
      entry.data_offset);
}

}  // namespace

bool looks_like_zip(const ByteSource& source) {
  std::array<std::byte, 4> start{};
  if (source.size() < start.size()) return false;
  source.read_at(0, start);
  const auto signature = load_le<std::uint32_t>(start.data());
  return (signature == kLocalSignature || signature == kEndSignature) && has_end_record(source);
}

Archive Archive::read(SourcePtr source, const Limits& limits, NameCase name_case) {
  const DirectoryExtent directory = find_directory(*source);
  std::vector<CentralHeader> headers = parse_directory(*source, directory, limits);
  const std::vector<EntryExtent> extents = read_extents(*source, headers, directory.offset);
  check_extents(headers, extents, directory.offset);

  Archive archive;
  archive.findings_ = inspect_names(headers, limits);
  note_trailing_bytes(archive.findings_, directory, source->size());
  archive.entries_ = take_files(std::move(headers), extents);
  archive.by_name_ = sort_by_name(archive.entries_, name_case);
  archive.name_case_ = name_case;
  archive.source_ = std::move(source);
  archive.limits_ = limits;
  return archive;
}

const Entry* Archive::find(std::string_view name) const noexcept {
  const auto found = std::ranges::lower_bound(by_name_, 0, std::less<>(), [&](std::size_t i) {
    return compare_names(entries_[i].name, name, name_case_);
  });
  if (found == by_name_.end() || entries_[*found].name != name) return nullptr;
  return &entries_[*found];
}

SourcePtr Archive::open(const Entry& entry) const {
  SourcePtr data = sub_source(source_, entry.data_offset, entry.compressed_bytes);
  if (entry.method == Method::Stored) return data;
  check_inflated_size(entry, limits_);
  return inflated_source(std::move(data), entry);
}

}  // namespace weighbridge::zip
