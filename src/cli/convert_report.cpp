#include "cli/convert_report.hpp"

#include <algorithm>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "cli/summary.hpp"
#include "cli/terminal.hpp"
#include "cli/ways.hpp"

namespace weighbridge::cli {
namespace {

constexpr std::uint64_t kMostItems = 10;
constexpr std::size_t kMostFindings = 20;

std::string_view extras_fate(const ConvertOptions& options) {
  const bool is_array = options.to == OutputFormat::Npz || options.to == OutputFormat::Npy;
  if (options.to != OutputFormat::Safetensors) return is_array ? " (not kept)" : "";
  return options.sidecar ? " (in the sidecar)" : " (see --sidecar)";
}

void print_input(const ConvertCommand& command, const Checkpoint& checkpoint) {
  std::FILE* const stream = command.report_stream();
  const std::string file = printable(command.input.file);
  fmt::print(stream, "{}: {}, {}\n", styled(stream, Style::Strong, file), printable(checkpoint.format),
             size_text(checkpoint.source_bytes));
  print_root(stream, checkpoint);
  print_totals(stream, count_totals(checkpoint));
  print_tied(stream, tied_names(checkpoint), kMostItems);
  print_extras(stream, checkpoint, kMostItems, extras_fate(command.options));
}

std::uint64_t total_bytes(const Conversion& conversion) {
  std::uint64_t total = 0;
  for (const OutputFile& file : conversion.files) total += file.plan.total_bytes;
  return total;
}

/// Beside the tensors, where there is one.
std::optional<std::string> find_sidecar(const ConvertCommand& command, const Conversion& conversion) {
  const std::string name = sidecar_file_name(command.output_name());
  const auto found = std::ranges::find(conversion.files, name, &OutputFile::name);
  return found == conversion.files.end() ? std::nullopt : std::optional(command.path_beside(name).string());
}

std::string file_path(const ConvertCommand& command, const OutputFile& file) {
  return command.to_stdout() ? "-" : command.path_beside(file.name).string();
}

std::string file_text(const ConvertCommand& command, const OutputFile& file) {
  return command.to_stdout() ? "standard output" : printable(file_path(command, file));
}

void print_layout(std::FILE* stream, const FilePlan& plan) {
  fmt::print(stream, "  {:>16}  {:>16}  content\n", "offset", "bytes");
  if (!plan.head.empty()) {
    const std::string_view content = plan.head.starts_with('{') ? "text" : "header";
    fmt::print(stream, "  {:>16}  {:>16}  {}\n", 0, plan.head.size(), content);
  }
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
  const std::string_view verified = write.verified ? "verified" : "not verified";
  for (std::size_t i = 0; i < conversion.files.size(); ++i) {
    const OutputFile& file = conversion.files[i];
    const bool last = i + 1 == conversion.files.size();
    fmt::print(stream, "wrote {}: {}, {}{}\n", file_text(command, file), size_text(file.plan.total_bytes),
               verified, last ? speed_text(write.bytes_written, seconds) : "");
    if (command.explain) print_way(stream, report.files[i]);
  }
}

Json files_json(const ConvertCommand& command, const Conversion& conversion) {
  Json files = Json::array();
  for (const OutputFile& file : conversion.files) {
    files.push_back({{"path", file_path(command, file)}, {"bytes", file.plan.total_bytes}});
  }
  return files;
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
  json["files"] = files_json(command, conversion);
  return json;
}

Json layout_json(const FilePlan& plan) {
  Json steps = Json::array();
  for (const CopyStep& step : plan.steps) {
    steps.push_back({{"name", step.name}, {"offset", step.destination}, {"bytes", step.runs.total_bytes}});
  }
  return {{"header_bytes", plan.head.size()}, {"steps", std::move(steps)}};
}

/// The first file's layout; those of the others behind it, where there are any.
Json plan_json(const Conversion& conversion) {
  Json plan = layout_json(conversion.files.front().plan);
  for (const OutputFile& file : std::span(conversion.files).subspan(1)) {
    plan["more"].push_back(layout_json(file.plan));
  }
  return plan;
}

Json write_json(const ConvertCommand& command, const Conversion& conversion, const ConvertReport& report,
                double seconds) {
  const auto sidecar = find_sidecar(command, conversion);
  return {{"bytes", report.write.bytes_written},
          {"bytes_copied_in_kernel", report.write.bytes_copied_in_kernel},
          {"booleans_normalized", report.write.booleans_normalized},
          {"cast_overflows", report.cast_overflows},
          {"verified", report.write.verified},
          {"sidecar", sidecar ? Json(*sidecar) : Json(nullptr)},
          {"seconds", seconds}};
}

}  // namespace

void report_plan(const ConvertCommand& command, const Conversion& conversion) {
  std::FILE* const stream = command.report_stream();
  if (command.input.json) {
    Json json = summary_json(command, conversion, conversion.checkpoint.findings);
    json["plan"] = plan_json(conversion);
    print_json(stream, json);
    return;
  }
  print_input(command, conversion.checkpoint);
  for (const OutputFile& file : conversion.files) {
    fmt::print(stream, "would write {}: {}\n", file_text(command, file), size_text(file.plan.total_bytes));
    print_layout(stream, file.plan);
  }
  print_first_findings(stderr, conversion.checkpoint.findings, kMostFindings);
}

void report_conversion(const ConvertCommand& command, const Conversion& conversion,
                       const ConvertReport& report, double seconds) {
  if (command.input.json) {
    Json json = summary_json(command, conversion, report.findings);
    json["write"] = write_json(command, conversion, report, seconds);
    if (command.explain) add_ways(json["files"], report.files);
    print_json(command.report_stream(), json);
    return;
  }
  if (command.quiet) return;
  print_input(command, conversion.checkpoint);
  print_written(command, conversion, report, seconds);
  print_first_findings(stderr, report.findings, kMostFindings);
}

}  // namespace weighbridge::cli
