#include <algorithm>
#include <system_error>

#include <weighbridge/convert.hpp>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge {
namespace {

void refuse_empty(const Checkpoint& checkpoint) {
  if (!checkpoint.tensors.empty()) return;
  const std::string where =
      checkpoint.root == "." ? "" : fmt::format(" under '{}'", printable(checkpoint.root));
  throw Error(ErrorCode::NoTensors, fmt::format("no tensors{} in this {} file", where, checkpoint.format));
}

void refuse_existing(const std::filesystem::path& path, const WriteOptions& options) {
  std::error_code ignored;  // a path that cannot be looked at is reported by the write itself
  if (options.overwrite || !std::filesystem::exists(path, ignored)) return;
  throw Error(ErrorCode::OutputExists, fmt::format("'{}' exists already", printable(path.string())),
              path.string());
}

std::filesystem::path sidecar_path(const std::filesystem::path& output) {
  return std::filesystem::path(output) += ".meta.json";
}

void add_write_findings(const WriteReport& report, Findings& findings) {
  if (report.booleans_normalized == 0) return;
  findings.push_back({.severity = Severity::Warning,
                      .code = "BooleansNormalized",
                      .message = fmt::format("{} bytes of BOOL tensors were neither 0 nor 1 and became 1",
                                             report.booleans_normalized),
                      .subject = {},
                      .offset = std::nullopt});
}

}  // namespace

void refuse_dangerous(const Findings& findings) {
  const auto is_danger = [](const Finding& finding) { return finding.severity == Severity::Danger; };
  const auto first = std::ranges::find_if(findings, is_danger);
  if (first == findings.end()) return;
  const auto more = std::ranges::count_if(first + 1, findings.end(), is_danger);
  std::string message = "refused, nothing was run: " + first->message;
  if (more > 0) message += fmt::format(" (and {} more dangerous names)", more);
  throw Error(ErrorCode::DangerousContent, message, first->subject, first->offset);
}

Conversion plan_conversion(SourcePtr input, const ConvertOptions& options) {
  Checkpoint checkpoint = read_checkpoint(std::move(input), options.open);
  if (!options.allow_dangerous) refuse_dangerous(checkpoint.findings);
  if (!options.allow_empty) refuse_empty(checkpoint);
  checkpoint = share_tensors(std::move(checkpoint), options.shared);
  FilePlan plan = plan_safetensors(checkpoint, options.style, options.open.limits);
  return {.checkpoint = std::move(checkpoint), .plan = std::move(plan)};
}

ConvertReport write_conversion(const Conversion& conversion, const std::filesystem::path& output,
                               const ConvertOptions& options) {
  const Checkpoint& checkpoint = conversion.checkpoint;
  const bool with_sidecar = options.sidecar && checkpoint.extras != nullptr;
  refuse_existing(output, options.write);
  std::string sidecar;
  if (with_sidecar) {
    // Before the tensors: whatever can go wrong with it goes wrong while nothing has been written.
    refuse_existing(sidecar_path(output), options.write);
    sidecar = checkpoint.extras->to_json(options.open.limits);
  }
  ConvertReport report{.write = write_file(conversion.plan, output, options.write),
                       .findings = checkpoint.findings,
                       .sidecar = {}};
  if (with_sidecar) {
    report.sidecar = sidecar_path(output);
    write_text_file(*report.sidecar, sidecar, options.write);
  }
  add_write_findings(report.write, report.findings);
  return report;
}

ConvertReport convert(const std::filesystem::path& input, const std::filesystem::path& output,
                      const ConvertOptions& options) {
  refuse_existing(output, options.write);
  const Conversion conversion = plan_conversion(open_file(input, options.open.mode), options);
  return write_conversion(conversion, output, options);
}

}  // namespace weighbridge
