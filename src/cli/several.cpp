#include "cli/several.hpp"

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "cli/json.hpp"
#include "cli/signals.hpp"
#include "cli/summary.hpp"
#include "cli/terminal.hpp"
#include "cli/ways.hpp"

namespace weighbridge::cli {
namespace {

constexpr std::size_t kMostFindings = 20;

Json report_json(std::string_view verb, const std::filesystem::path& output, const Conversion& conversion,
                 const ConvertReport& report) {
  Json json = document(verb);
  json["output"] = output.string();
  json["totals"] = totals_json(count_totals(conversion.checkpoint));
  json["files"] = Json::array();
  for (const OutputFile& file : conversion.files) {
    const std::string path = (output.parent_path() / file.name).string();
    json["files"].push_back({{"path", path}, {"bytes", file.plan.total_bytes}});
  }
  json["cast_overflows"] = report.cast_overflows;
  json["verified"] = report.write.verified;
  json["findings"] = findings_json(report.findings);
  return json;
}

}  // namespace

Checkpoint open_one(WorkerFiles& files, std::size_t number, const std::string& file, OpenOptions options) {
  options.folder = files.input_folder(number);
  try {
    return read_checkpoint(files.open_input(number), options);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::IoError) throw;
    throw Error(error.code(), fmt::format("{}: {}", printable(file), error.what()), error.subject(),
                error.offset());
  }
}

ConvertReport write_all(const Conversion& conversion, WorkerFiles& files, WriteOptions write) {
  const CancelOnSignal cancel;
  ConvertOptions options;
  options.write = std::move(write);
  options.write.cancel = CancelOnSignal::flag();
  try {
    return write_conversion(conversion, files.output_folder(), options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::OutputExists) throw;
    throw Error(error.code(),
                fmt::format("output '{}' exists already; --force replaces it", printable(error.subject())),
                error.subject());
  }
}

void report_files(std::string_view verb, const std::filesystem::path& output, const Conversion& conversion,
                  const ConvertReport& report, ReportStyle style) {
  if (style.json) {
    Json json = report_json(verb, output, conversion, report);
    if (style.explain) add_ways(json["files"], report.files);
    return print_json(stdout, json);
  }
  print_totals(stdout, count_totals(conversion.checkpoint));
  for (std::size_t i = 0; i < conversion.files.size(); ++i) {
    const OutputFile& file = conversion.files[i];
    fmt::print("wrote {}: {}, {}\n", printable((output.parent_path() / file.name).string()),
               size_text(file.plan.total_bytes), report.write.verified ? "verified" : "not verified");
    if (style.explain) print_way(stdout, report.files[i]);
  }
  print_first_findings(stderr, report.findings, kMostFindings);
}

}  // namespace weighbridge::cli
