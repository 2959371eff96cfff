#include <algorithm>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "cli/summary.hpp"
#include "cli/terminal.hpp"

namespace weighbridge::cli {
namespace {

std::string_view noun(std::uint64_t count, std::string_view one, std::string_view many) {
  return count == 1 ? one : many;
}

void print_total(std::FILE* stream, std::string_view label, std::uint64_t tensors, std::uint64_t parameters,
                 std::uint64_t bytes) {
  fmt::print(stream, "  {:<11}  {:>6} {:<7}  {:>13} {:<10}  {:>10}\n", label, tensors,
             noun(tensors, "tensor", "tensors"), parameters, noun(parameters, "parameter", "parameters"),
             size_text(bytes));
}

Style severity_style(Severity severity) {
  switch (severity) {
    case Severity::Info:
      return Style::Faint;
    case Severity::Warning:
      return Style::Warning;
    case Severity::Error:
    case Severity::Danger:
      return Style::Error;
  }
  return Style::Error;
}

void print_finding(std::FILE* stream, const Finding& finding) {
  const std::string name = fmt::format("{}:", severity_name(finding.severity));
  fmt::print(stream, "{} {} ({})\n", styled(stream, severity_style(finding.severity), name),
             printable(finding.message), printable(finding.code));
}

void print_more(std::FILE* stream, std::uint64_t shown, std::uint64_t count) {
  if (count > shown) fmt::print(stream, "    ... and {} more\n", count - shown);
}

}  // namespace

void print_totals(std::FILE* stream, const Totals& totals) {
  for (const DTypeTotal& total : totals.dtypes) {
    print_total(stream, dtype_name(total.dtype), total.tensors, total.parameters, total.bytes);
  }
  if (totals.dtypes.size() != 1) {
    print_total(stream, "total", totals.tensors, totals.parameters, totals.bytes);
  }
}

void print_findings(std::FILE* stream, const Findings& findings) {
  for (const Finding& finding : findings) {
    fmt::print(stream, "  ");
    print_finding(stream, finding);
  }
}

void print_first_findings(std::FILE* stream, const Findings& findings, std::size_t most) {
  std::size_t count = 0;
  for (const Finding& finding : findings) {
    if (finding.severity >= Severity::Warning && count++ < most) print_finding(stream, finding);
  }
  if (count > most) fmt::print(stream, "... and {} more; 'weighbridge validate' lists them\n", count - most);
}

void print_dangers(std::FILE* stream, const Findings& findings) {
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::Danger) print_finding(stream, finding);
  }
}

void print_root(std::FILE* stream, const Checkpoint& checkpoint) {
  if (checkpoint.candidates.size() < 2 && checkpoint.root == ".") return;
  fmt::print(stream, "  taken from '{}'\n", printable(checkpoint.root));
  for (const RootCandidate& candidate : checkpoint.candidates) {
    if (candidate.path == checkpoint.root) continue;
    fmt::print(stream, "  --key '{}' would take {}\n", printable(candidate.path),
               count_text(candidate.tensors, "tensor"));
  }
}

void print_tied(std::FILE* stream, const std::vector<TiedName>& tied, std::size_t most) {
  if (tied.empty()) return;
  fmt::print(stream, "  {} for the bytes of another:\n",
             tied.size() == 1 ? "1 name stands" : fmt::format("{} names stand", tied.size()));
  const std::size_t shown = std::min(tied.size(), most);
  for (std::size_t i = 0; i < shown; ++i) {
    fmt::print(stream, "    {} = {}\n", printable(tied[i].name), printable(tied[i].kept));
  }
  print_more(stream, shown, tied.size());
}

void print_extras(std::FILE* stream, const Checkpoint& checkpoint, std::uint64_t most,
                  std::string_view fate) {
  const std::uint64_t count = checkpoint.extras ? checkpoint.extras->count() : 0;
  if (count == 0) return;
  fmt::print(stream, "  {} that {} no tensor{}:\n", count_text(count, "value"), count == 1 ? "is" : "are",
             fate);
  const auto items = checkpoint.extras->list(most);
  for (const ExtraItem& item : items) {
    fmt::print(stream, "    {}: {}\n", printable(item.path), printable(item.summary));
  }
  print_more(stream, items.size(), count);
}

}  // namespace weighbridge::cli
