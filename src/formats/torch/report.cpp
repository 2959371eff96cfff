#include "formats/torch/report.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/pickle/kinds.hpp"

namespace weighbridge::torch {
namespace {

using Name = std::pair<std::string_view, std::string_view>;
using Offsets = std::map<Name, std::uint64_t>;

Offsets first_uses(const pickle::Graph& graph, pickle::GlobalClass verdict) {
  Offsets offsets;
  for (const pickle::GlobalUse& use : graph.globals()) {
    if (use.verdict == verdict) offsets.try_emplace(Name(use.module, use.name), use.offset);
  }
  return offsets;
}

std::string full_name(const Name& name) { return fmt::format("{}.{}", name.first, name.second); }

Finding danger_finding(const Name& name, std::uint64_t offset) {
  const pickle::GlobalUse use{name.first, name.second, offset, pickle::GlobalClass::Dangerous};
  return {.severity = Severity::Danger,
          .code = "DangerousGlobal",
          .message = fmt::format("{} (pickle byte {}): {}", printable(full_name(name)), offset,
                                 pickle::danger_of(use)),
          .subject = full_name(name),
          .offset = offset};
}

Finding unknown_finding(const Name& name, std::uint64_t offset) {
  return {
      .severity = Severity::Info,
      .code = "UnknownGlobal",
      .message = fmt::format("{} (pickle byte {}) is kept as inert data", printable(full_name(name)), offset),
      .subject = full_name(name),
      .offset = offset};
}

void add_bounded(const Offsets& offsets, Finding (*make)(const Name&, std::uint64_t), const Limits& limits,
                 Findings& findings) {
  std::uint64_t kept = 0;
  for (const auto& [name, offset] : offsets) {
    if (kept++ == limits.findings) break;
    findings.push_back(make(name, offset));
  }
  if (offsets.size() > limits.findings && !findings.empty()) {
    findings.back().message += fmt::format("; {} more are not listed", offsets.size() - limits.findings);
  }
}

}  // namespace

void report_globals(const pickle::Graph& graph, const Limits& limits, Findings& findings) {
  add_bounded(first_uses(graph, pickle::GlobalClass::Dangerous), danger_finding, limits, findings);
  add_bounded(first_uses(graph, pickle::GlobalClass::Inert), unknown_finding, limits, findings);
}

void report_dangers(const pickle::Graph& graph, const Limits& limits, Findings& findings) {
  Findings found;
  add_bounded(first_uses(graph, pickle::GlobalClass::Dangerous), danger_finding, limits, found);
  std::erase_if(found, [&](const Finding& finding) {
    return std::ranges::any_of(findings, [&](const Finding& known) {
      return known.severity == Severity::Danger && known.subject == finding.subject;
    });
  });
  findings.insert(findings.end(), found.begin(), found.end());
}

void report_rest(const ByteSource& source, std::uint64_t end, Findings& findings) {
  if (end == source.size()) return;
  findings.push_back(
      {.severity = Severity::Warning,
       .code = "TrailingBytes",
       .message = fmt::format("{} bytes behind what was read are ignored", source.size() - end),
       .subject = {},
       .offset = end});
}

pickle::Outcome run_reported(SourcePtr source, std::uint64_t offset, const Limits& limits,
                             Findings& findings) {
  pickle::Outcome outcome = pickle::run(std::move(source), offset, limits);
  report_globals(outcome.graph, limits, findings);
  if (outcome.failure) throw with_danger(*outcome.failure, findings);
  return outcome;
}

Error with_danger(const Error& error, const Findings& findings) {
  const auto danger = std::ranges::find(findings, Severity::Danger, &Finding::severity);
  if (danger == findings.end()) return error;
  if (error.code() == ErrorCode::IoError || error.code() == ErrorCode::DangerousContent) return error;
  return {ErrorCode::DangerousContent,
          fmt::format("names dangerous code: {}; besides, {}", danger->message, error.what()),
          danger->subject, danger->offset};
}

}  // namespace weighbridge::torch
