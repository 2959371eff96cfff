#include <algorithm>
#include <array>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "cli/scan_report.hpp"
#include "cli/terminal.hpp"

namespace weighbridge::cli {
namespace {

std::string colored(Verdict verdict) {
  const std::string_view name = verdict_name(verdict);
  switch (verdict) {
    case Verdict::Clean:
      return styled(stdout, Style::Strong, name);
    case Verdict::NotCheckpoint:
      return styled(stdout, Style::Faint, name);
    case Verdict::Unknown:
      return styled(stdout, Style::Warning, name);
    case Verdict::Malformed:
    case Verdict::Dangerous:
      break;
  }
  return styled(stdout, Style::Error, name);
}

/// " in inner!path" where it is not the file itself.
std::string place_text(const ScanReport& report, std::string_view place) {
  if (place == report.name) return "";
  const bool inner = place.starts_with(report.name) && place.substr(report.name.size()).starts_with('!');
  return fmt::format(" in {}", printable(inner ? place.substr(report.name.size() + 1) : place));
}

void print_global(const ScanReport& report, const ScannedGlobal& global) {
  const std::string uses = global.uses == 1 ? "" : fmt::format(", {} times", global.uses);
  const bool known = global.verdict == Verdict::Clean;
  const std::string label = known ? std::string(global_class(global.verdict)) : colored(global.verdict);
  fmt::print("  {}: {}.{}{} (byte {}{}): {}\n", label, printable(global.module), printable(global.name),
             place_text(report, global.place), global.offset, uses, printable(global.reason));
}

void print_finding(const ScanReport& report, const ScanFinding& finding) {
  const std::string label = finding.verdict == Verdict::Clean ? "note" : colored(finding.verdict);
  fmt::print("  {}: {}{} ({})\n", label, printable(finding.message), place_text(report, finding.place),
             finding.code);
}

void print_report(const ScanReport& report, const ScanTextStyle& style) {
  const std::string format = report.format.empty() ? "" : fmt::format(" ({})", printable(report.format));
  fmt::print("{}: {}{}\n", printable(report.name), colored(report.verdict), format);
  for (const Verdict verdict : {Verdict::Dangerous, Verdict::Unknown, Verdict::Clean}) {
    if (verdict == Verdict::Clean && !style.all_names) continue;
    for (const ScannedGlobal& global : report.globals) {
      if (global.verdict == verdict) print_global(report, global);
    }
  }
  for (const ScanFinding& finding : report.findings) {
    if (finding.verdict != Verdict::Clean || style.all_names) print_finding(report, finding);
  }
  if (report.omitted != 0) fmt::print("  and {} more\n", report.omitted);
}

}  // namespace

void print_scanned(const ScannedFile& file, const ScanTextStyle& style) {
  if (file.problem.has_value()) {
    fmt::print("{}: {}\n", printable(file.report.name), styled(stdout, Style::Error, "unreadable"));
    return;
  }
  if (style.problems_only && file.report.verdict == Verdict::Clean) return;
  print_report(file.report, style);
}

void print_scan_totals(const std::vector<ScannedFile>& files) {
  constexpr std::array kOrder = {Verdict::Dangerous, Verdict::Malformed, Verdict::Unknown,
                                 Verdict::NotCheckpoint, Verdict::Clean};
  std::string line = count_text(files.size(), "file");
  std::string_view separator = ": ";
  const auto add = [&](std::ptrdiff_t count, std::string_view what) {
    if (count == 0) return;
    line += fmt::format("{}{} {}", separator, count, what);
    separator = ", ";
  };
  for (const Verdict verdict : kOrder) {
    add(std::ranges::count_if(
            files, [&](const ScannedFile& file) { return !file.problem && file.report.verdict == verdict; }),
        verdict_name(verdict));
  }
  add(std::ranges::count_if(files, [](const ScannedFile& file) { return file.problem.has_value(); }),
      "unreadable");
  fmt::print("{}\n", line);
}

}  // namespace weighbridge::cli
