#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/read.hpp"
#include "formats/zip/archive.hpp"
#include "formats/zip/crc32.hpp"
#include "scan/content.hpp"
#include "scan/search.hpp"

namespace weighbridge::scanning {
namespace {

using zip::Archive;
using zip::Entry;

bool has_entry(const Archive& archive, std::string_view suffix) {
  return std::ranges::any_of(archive.entries(),
                             [&](const Entry& entry) { return entry.name.ends_with(suffix); });
}

/// "archive/data.pkl" and "data.pkl".
bool has_record(const Archive& archive, std::string_view name) {
  return archive.find(name) != nullptr || has_entry(archive, "/" + std::string(name));
}

std::string_view name_format(const Archive& archive) {
  if (has_record(archive, "constants.pkl")) return "torchscript";
  if (has_record(archive, ".data/extern_modules")) return "torch-package";
  if (has_record(archive, "data.pkl")) return "torch-zip";
  if (archive.find("config.json") != nullptr && archive.find("model.weights.h5") != nullptr) return "keras";
  return "zip";
}

void note_archive(Scan& scan, const Content& content, const Archive& archive) {
  for (const Finding& finding : archive.findings()) {
    scan.evidence.add({.verdict = Verdict::Clean,
                       .code = finding.code,
                       .message = finding.message,
                       .place = content.place,
                       .offset = finding.offset});
  }
  if (name_format(archive) != "torch-package" || !has_entry(archive, ".py")) return;
  scan.evidence.add({.verdict = Verdict::Unknown,
                     .code = "PackageSources",
                     .message = "a torch.package archive with Python sources, which its loader runs",
                     .place = content.place});
}

/// Loaders do not look at checksums; a scanner that does stops there (CVE-2025-10156).
void check_checksum(Scan& scan, const Content& content, const Entry& entry) {
  if (entry.crc32 == 0) return;
  scan.charge(entry.bytes);
  const std::uint32_t found = zip::compute_crc32(*content.source);
  if (found == entry.crc32) return;
  scan.evidence.add(
      {.verdict = Verdict::Malformed,
       .code = "CrcMismatch",
       .message = fmt::format("has CRC-32 {:08x}, the directory says {:08x}", found, entry.crc32),
       .place = content.place,
       .offset = entry.data_offset});
}

void note_error(Scan& scan, const std::string& place, const Error& error) {
  if (error.system_error() != 0) throw error;
  scan.evidence.add({.verdict = Verdict::Malformed,
                     .code = std::string(error_code_name(error.code())),
                     .message = error.what(),
                     .place = place,
                     .offset = error.offset()});
}

/// Notes an entry whose data cannot be had; the others are read all the same.
std::string scan_entry(Scan& scan, const Content& content, const Archive& archive, const Entry& entry) {
  Content inner = inside(content, nullptr, entry.name);
  try {
    inner.source = archive.open(entry);
    const std::string format = scan_content(scan, inner);
    if (!format.empty()) check_checksum(scan, inner, entry);
    return format;
  } catch (const Error& error) {
    note_error(scan, inner.place, error);
    return {};
  }
}

/// Whether any entry is content that is looked into.
bool scan_entries(Scan& scan, const Content& content, const Archive& archive) {
  note_archive(scan, content, archive);
  bool holds_any = false;
  for (const Entry& entry : archive.entries()) {
    const std::string format = scan_entry(scan, content, archive, entry);
    holds_any = holds_any || !format.empty();
  }
  return holds_any;
}

/// Sound archives one behind the other, as shards of distributed checkpoints are; none when the file is
/// anything else.
std::vector<Content> split_row(const Content& content, const Limits& limits) {
  constexpr std::string_view kEnd = "PK\x05\x06";
  constexpr std::uint64_t kEndBytes = 22;
  constexpr std::size_t kMostArchives = 10'000;
  std::vector<Content> row;
  std::uint64_t begin = 0;
  for (const std::uint64_t end : find_all(*content.source, kEnd, kMostArchives)) {
    if (end + kEndBytes > content.source->size()) return {};
    const SourcePtr part = sub_source(content.source, begin, end + kEndBytes - begin);
    row.push_back(inside(content, part, fmt::format("archive@{}", begin)));
    begin = end + kEndBytes;
  }
  if (row.size() < 2 || begin != content.source->size()) return {};
  try {
    for (const Content& part : row) static_cast<void>(Archive::read(part.source, limits));
  } catch (const Error&) {
    return {};
  }
  return row;
}

bool scan_row(Scan& scan, const Content& content) {
  scan.charge(content.source->size());
  const std::vector<Content> row = split_row(content, scan.limits);
  for (const Content& part : row) scan_content(scan, part);
  return !row.empty();
}

}  // namespace

std::string scan_zip(Scan& scan, const Content& content) {
  std::optional<Archive> archive;
  try {
    const bool npz = torch::looks_like_npz(*content.source);
    archive =
        Archive::read(content.source, scan.limits, npz ? zip::NameCase::Distinct : zip::NameCase::Folded);
  } catch (const Error& error) {
    if (scan_row(scan, content)) return "zips";
    note_error(scan, content.place, error);
  }
  if (archive) return scan_entries(scan, content, *archive) ? std::string(name_format(*archive)) : "";
  // What is wrong with an archive for us, other readers put up with: they decide what is in it.
  scan_zip_loosely(scan, content);
  return "zip";
}

}  // namespace weighbridge::scanning
