#include <algorithm>
#include <array>

#include <weighbridge/error.hpp>
#include <weighbridge/scan.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "formats/compressed/compressed.hpp"
#include "formats/detect.hpp"
#include "formats/tar/archive.hpp"
#include "formats/zip/archive.hpp"
#include "formats/zip/end_records.hpp"
#include "scan/content.hpp"

namespace weighbridge {
namespace {

using scanning::Content;
using scanning::Scan;

constexpr std::array<std::string_view, 5> kVerdicts = {"clean", "not a checkpoint", "unknown", "malformed",
                                                       "dangerous"};

/// Ten passes over all that the file may be unpacked to.
std::uint64_t most_work(std::uint64_t bytes, const Limits& limits) {
  constexpr std::uint64_t kPasses = 10;
  const auto unpacked = checked_mul(bytes, limits.inflated_ratio);
  const std::uint64_t most = std::max(unpacked.value_or(UINT64_MAX), limits.inflated_floor);
  return checked_mul(most, kPasses).value_or(UINT64_MAX);
}

/// Formats behind whose content more can stand. The others have an end, or hold archives as their entries.
bool has_open_end(std::string_view format) {
  constexpr auto kFormats = std::to_array<std::string_view>(
      {"", "pickle", "joblib", "torch-legacy", "npy", "hdf5", "keras-h5", "keras-weights", "keras-config"});
  return std::ranges::find(kFormats, format) != kFormats.end();
}

/// A zip archive is found by its end: behind anything else it is seen by some readers and not by others.
void scan_archive_behind(Scan& scan, const Content& content) {
  if (zip::looks_like_zip(*content.source) || !zip::has_end_record(*content.source)) return;
  scan.evidence.add(
      {.verdict = Verdict::Unknown,
       .code = "ArchiveBehind",
       .message = "ends like a zip archive and does not begin like one; readers that search from the end see "
                  "another file",
       .place = content.place});
  scan_zip_loosely(scan, content);
}

/// What a file is in which nothing was found.
std::string describe(const ByteSource& source) {
  constexpr std::string_view kNothing = "without a checkpoint in it";
  if (zip::looks_like_zip(source)) return fmt::format("a zip archive {}", kNothing);
  if (tar::looks_like_tar(source)) return fmt::format("a tar archive {}", kNothing);
  if (const auto codec = compressed::find_codec(source)) {
    return fmt::format("a file compressed by {}, {}", compressed::codec_name(*codec), kNothing);
  }
  const auto foreign = find_foreign_format(source);
  return foreign ? foreign->what() : unknown_format(source).what();
}

void note_nothing(Scan& scan, const Content& content) {
  scan.evidence.add({.verdict = Verdict::NotCheckpoint,
                     .code = "NotCheckpoint",
                     .message = describe(*content.source),
                     .place = content.place});
}

}  // namespace

std::string_view verdict_name(Verdict verdict) noexcept {
  return kVerdicts[static_cast<std::size_t>(verdict)];
}

std::optional<Verdict> find_verdict(std::string_view name) noexcept {
  const auto found = std::ranges::find(kVerdicts, name);
  if (found == kVerdicts.end()) return std::nullopt;
  return static_cast<Verdict>(found - kVerdicts.begin());
}

ScanReport scan(SourcePtr source, const ScanOptions& options) {
  const std::uint64_t bytes = source->size();
  Scan work{options.limits, scanning::Evidence(options.limits.findings), most_work(bytes, options.limits),
            options.hdf5};
  const Content whole{
      .source = std::move(source), .place = options.name, .name = options.name, .is_whole = true};
  const std::string format = scan_content(work, whole);
  if (has_open_end(format)) scan_archive_behind(work, whole);
  if (format.empty() && work.evidence.verdict() == Verdict::Clean) note_nothing(work, whole);

  ScanReport report = std::move(work.evidence).finish();
  report.name = options.name;
  report.format = format;
  report.bytes = bytes;
  return report;
}

}  // namespace weighbridge
