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

/// Made while nothing has been written: whatever can go wrong with it goes wrong then.
OutputFile plan_sidecar(const Extras& extras, const std::string& output, const Limits& limits) {
  FilePlan plan;
  plan.head = extras.to_json(limits);
  plan.total_bytes = plan.head.size();
  return {.name = output + ".meta.json", .plan = std::move(plan)};
}

/// The options for one of several files: progress counts the bytes of all of them.
WriteOptions part_of_whole(const WriteOptions& options, std::uint64_t done, std::uint64_t total) {
  WriteOptions part = options;
  if (options.progress) {
    part.progress = [progress = options.progress, done, total](std::uint64_t now, std::uint64_t) {
      progress(done + now, total);
    };
  }
  return part;
}

void add_up(WriteReport& sum, const WriteReport& part) {
  sum.bytes_written += part.bytes_written;
  sum.bytes_copied_in_kernel += part.bytes_copied_in_kernel;
  sum.booleans_normalized += part.booleans_normalized;
  sum.verified = part.verified;
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

Conversion plan_conversion(SourcePtr input, const std::string& output, const ConvertOptions& options) {
  Checkpoint checkpoint = read_checkpoint(std::move(input), options.open);
  if (!options.allow_dangerous) refuse_dangerous(checkpoint.findings);
  if (!options.allow_empty) refuse_empty(checkpoint);
  checkpoint = share_tensors(std::move(checkpoint), options.shared);
  Conversion conversion;
  conversion.files.push_back(
      {.name = output, .plan = plan_safetensors(checkpoint, options.style, options.open.limits)});
  if (options.sidecar && checkpoint.extras != nullptr) {
    conversion.files.push_back(plan_sidecar(*checkpoint.extras, output, options.open.limits));
  }
  conversion.checkpoint = std::move(checkpoint);
  return conversion;
}

ConvertReport write_conversion(const Conversion& conversion, OutputFolder& folder,
                               const ConvertOptions& options) {
  std::vector<int> descriptors;
  std::uint64_t total = 0;
  for (const OutputFile& file : conversion.files) {
    descriptors.push_back(folder.create(file.name));
    total += file.plan.total_bytes * (options.write.verify ? 2 : 1);
  }
  ConvertReport report{.write = {}, .findings = conversion.checkpoint.findings};
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < conversion.files.size(); ++i) {
    const FilePlan& plan = conversion.files[i].plan;
    add_up(report.write, write_descriptor(plan, descriptors[i], part_of_whole(options.write, done, total)));
    done += plan.total_bytes * (options.write.verify ? 2 : 1);
  }
  folder.commit();
  add_write_findings(report.write, report.findings);
  return report;
}

ConvertReport convert(const std::filesystem::path& input, const std::filesystem::path& output,
                      const ConvertOptions& options) {
  refuse_existing(output, options.write);
  ConvertOptions with_folder = options;
  if (!with_folder.open.folder) {
    with_folder.open.folder = open_input_folder(input.parent_path(), options.open.mode);
  }
  const Conversion conversion =
      plan_conversion(open_file(input, options.open.mode), output.filename().string(), with_folder);
  const auto folder = open_output_folder(output.parent_path(), options.write);
  return write_conversion(conversion, *folder, with_folder);
}

}  // namespace weighbridge
