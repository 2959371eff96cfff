// The report of one scanned file: on its way between processes, and to a person or a program.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/error.hpp>
#include <weighbridge/scan.hpp>

#include "cli/json.hpp"

namespace weighbridge::cli {

/// One file of a scan.
struct ScannedFile {
  ScanReport report = {};
  std::optional<Error> problem = {};  ///< Why it could not be read; none when it could.
};

/// What the verdict on a name is called: "known", "unknown" or "dangerous".
std::string_view global_class(Verdict verdict) noexcept;

/// The report as JSON, which is also how a worker sends it.
Json scan_report_json(const ScanReport& report);
std::string serialize_scan_report(const ScanReport& report);
/// Throws VerificationFailed for anything that serialize_scan_report() does not write.
ScanReport parse_scan_report(std::string_view bytes);

/// The whole document of --json.
Json scan_json(const std::vector<ScannedFile>& files);
/// The same as SARIF 2.1.0.
Json scan_sarif(const std::vector<ScannedFile>& files);

struct ScanTextStyle {
  bool problems_only = false;  ///< Leave out clean files.
  bool all_names = false;      ///< List known names as well.
};

void print_scanned(const ScannedFile& file, const ScanTextStyle& style);
/// "3 files: 1 dangerous, 2 clean"
void print_scan_totals(const std::vector<ScannedFile>& files);

}  // namespace weighbridge::cli
