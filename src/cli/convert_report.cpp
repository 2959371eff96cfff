#include "cli/convert_report.hpp"

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "cli/summary.hpp"
#include "cli/terminal.hpp"

namespace weighbridge::cli {
namespace {

constexpr std::uint64_t kMostItems = 10;
constexpr std::size_t kMostFindings = 20;

std::string output_name(const ConvertCommand& command) {
  return command.to_stdout() ? "standard output" : printable(command.output_path().string());
}

void print_input(const ConvertCommand& command, const Checkpoint& checkpoint) {
  std::FILE* const stream = command.report_stream();
  const std::string file = printable(command.input.file);
  fmt::print(stream, "{}: {}, {}\n", styled(stream, Style::Strong, file), printable(checkpoint.format),
             size_text(checkpoint.source_bytes));
  print_root(stream, checkpoint);
  print_totals(stream, count_totals(checkpoint));
  print_tied(stream, tied_names(checkpoint), kMostItems);
  const bool kept = command.options.sidecar;
  print_extras(stream, checkpoint, kMostItems, kept ? " (in the sidecar)" : " (see --sidecar)");
}

std::uint64_t total_bytes(const Conversion& conversion) {
  std::uint64_t total = 0;
  for (const OutputFile& file : conversion.files) total += file.plan.total_bytes;
  return total;
}

/// Beside the tensors, where there is one.
std::optional<std::string> find_sidecar(const ConvertCommand& command, const Conversion& conversion) {
  if (conversion.files.size() < 2) return std::nullopt;
  return command.sidecar_path().string();
}

void print_layout(std::FILE* stream, const FilePlan& plan) {
  fmt::print(stream, "  {:>16}  {:>16}  content\n", "offset", "bytes");
  fmt::print(stream, "  {:>16}  {:>16}  header\n", 0, plan.head.size());
  for (const CopyStep& step : plan.steps) {
    fmt::print(stream, "  {:>16}  {:>16}  {}\n", step.destination, step.runs.total_bytes,
               printable(step.name));
  }
}

// A speed over less than a second says nothing.
std::string speed_text(std::uint64_t bytes, double seconds) {
  if (seconds < 1) return "";
  const auto speed = static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds);
  return fmt::format(", in {:.1f} s ({}/s)", seconds, size_text(speed));
}

void print_written(const ConvertCommand& command, const Conversion& conversion, const ConvertReport& report,
                   double seconds) {
  std::FILE* const stream = command.report_stream();
  const WriteReport& write = report.write;
  if (command.to_stdout() && write.booleans_normalized != 0) {  // a file's report has a finding
    fmt::print(stream, "  {} other than 0 and 1 written as 1\n",
               count_text(write.booleans_normalized, "boolean"));
  }
  if (const auto sidecar = find_sidecar(command, conversion)) {
    fmt::print(stream, "wrote {}\n", printable(*sidecar));
  }
  fmt::print(stream, "wrote {}: {}, {}{}\n", output_name(command),
             size_text(conversion.files.front().plan.total_bytes),
             write.verified ? "verified" : "not verified", speed_text(write.bytes_written, seconds));
}

Json summary_json(const ConvertCommand& command, const Conversion& conversion, const Findings& findings) {
  const Checkpoint& checkpoint = conversion.checkpoint;
  Json json = document("convert");
  json["input"] = command.input.file;
  json["format"] = checkpoint.format;
  json["input_bytes"] = checkpoint.source_bytes;
  json["root"] = checkpoint.root;
  json["candidates"] = candidates_json(checkpoint);
  json["totals"] = totals_json(count_totals(checkpoint));
  json["tied"] = tied_json(tied_names(checkpoint));
  json["not_tensors"] = extras_json(checkpoint, kMostItems);
  json["findings"] = findings_json(findings);
  json["output"] = command.to_stdout() ? "-" : command.output_path().string();
  json["output_bytes"] = total_bytes(conversion);
  return json;
}

Json layout_json(const FilePlan& plan) {
  Json steps = Json::array();
  for (const CopyStep& step : plan.steps) {
    steps.push_back({{"name", step.name}, {"offset", step.destination}, {"bytes", step.runs.total_bytes}});
  }
  return {{"header_bytes", plan.head.size()}, {"steps", std::move(steps)}};
}

Json write_json(const ConvertCommand& command, const Conversion& conversion, const ConvertReport& report,
                double seconds) {
  const auto sidecar = find_sidecar(command, conversion);
  return {{"bytes", report.write.bytes_written},
          {"bytes_copied_in_kernel", report.write.bytes_copied_in_kernel},
          {"booleans_normalized", report.write.booleans_normalized},
          {"verified", report.write.verified},
          {"sidecar", sidecar ? Json(*sidecar) : Json(nullptr)},
          {"seconds", seconds}};
}

}  // namespace

void report_plan(const ConvertCommand& command, const Conversion& conversion) {
  std::FILE* const stream = command.report_stream();
  if (command.input.json) {
    Json json = summary_json(command, conversion, conversion.checkpoint.findings);
    json["plan"] = layout_json(conversion.files.front().plan);
    print_json(stream, json);
    return;
  }
  print_input(command, conversion.checkpoint);
  fmt::print(stream, "would write {}: {}\n", output_name(command),
             size_text(conversion.files.front().plan.total_bytes));
  print_layout(stream, conversion.files.front().plan);
  print_first_findings(stderr, conversion.checkpoint.findings, kMostFindings);
}

void report_conversion(const ConvertCommand& command, const Conversion& conversion,
                       const ConvertReport& report, double seconds) {
  if (command.input.json) {
    Json json = summary_json(command, conversion, report.findings);
    json["write"] = write_json(command, conversion, report, seconds);
    print_json(command.report_stream(), json);
    return;
  }
  if (command.quiet) return;
  print_input(command, conversion.checkpoint);
  print_written(command, conversion, report, seconds);
  print_first_findings(stderr, report.findings, kMostFindings);
}

}  // namespace weighbridge::cli
