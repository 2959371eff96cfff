#include <algorithm>

#include <weighbridge/error.hpp>

#include "cli/scan_report.hpp"

namespace weighbridge::cli {
namespace {

constexpr std::string_view kKnown = "known";

Json offset_json(const std::optional<std::uint64_t>& offset) {
  return offset ? Json(*offset) : Json(nullptr);
}

Json global_json(const ScannedGlobal& global) {
  return {{"class", global_class(global.verdict)},
          {"module", global.module},
          {"name", global.name},
          {"reason", global.reason},
          {"place", global.place},
          {"offset", global.offset},
          {"uses", global.uses}};
}

Json finding_json(const ScanFinding& finding) {
  return {{"verdict", verdict_name(finding.verdict)},
          {"code", finding.code},
          {"message", finding.message},
          {"place", finding.place},
          {"offset", offset_json(finding.offset)}};
}

Verdict parse_verdict(const Json& json) {
  const auto verdict = find_verdict(json.get<std::string>());
  if (!verdict) throw Error(ErrorCode::VerificationFailed, "the report names no verdict");
  return *verdict;
}

ScannedGlobal parse_global(const Json& json) {
  const std::string kind = json.at("class");
  return {.verdict = kind == kKnown ? Verdict::Clean : parse_verdict(json.at("class")),
          .module = json.at("module"),
          .name = json.at("name"),
          .reason = json.at("reason"),
          .place = json.at("place"),
          .offset = json.at("offset"),
          .uses = json.at("uses")};
}

ScanFinding parse_finding(const Json& json) {
  ScanFinding finding{.verdict = parse_verdict(json.at("verdict")),
                      .code = json.at("code"),
                      .message = json.at("message"),
                      .place = json.at("place")};
  if (!json.at("offset").is_null()) finding.offset = json.at("offset").get<std::uint64_t>();
  return finding;
}

ScanReport parse_report(const Json& json) {
  ScanReport report{.name = json.at("file"),
                    .verdict = parse_verdict(json.at("verdict")),
                    .bytes = json.at("bytes"),
                    .pickles = json.at("pickles"),
                    .omitted = json.at("omitted")};
  if (!json.at("format").is_null()) report.format = json.at("format").get<std::string>();
  for (const Json& global : json.at("globals")) report.globals.push_back(parse_global(global));
  for (const Json& finding : json.at("findings")) report.findings.push_back(parse_finding(finding));
  return report;
}

Json file_json(const ScannedFile& file) {
  if (!file.problem) return scan_report_json(file.report);
  return {{"file", file.report.name},
          {"verdict", nullptr},
          {"error", file.problem->what()},
          {"errno", errno_json(*file.problem)}};
}

}  // namespace

std::string_view global_class(Verdict verdict) noexcept {
  return verdict == Verdict::Clean ? kKnown : verdict_name(verdict);
}

Json scan_report_json(const ScanReport& report) {
  Json globals = Json::array();
  for (const ScannedGlobal& global : report.globals) globals.push_back(global_json(global));
  Json findings = Json::array();
  for (const ScanFinding& finding : report.findings) findings.push_back(finding_json(finding));
  return {{"file", report.name},
          {"format", report.format.empty() ? Json(nullptr) : Json(report.format)},
          {"verdict", verdict_name(report.verdict)},
          {"bytes", report.bytes},
          {"pickles", report.pickles},
          {"globals", std::move(globals)},
          {"findings", std::move(findings)},
          {"omitted", report.omitted}};
}

std::string serialize_scan_report(const ScanReport& report) { return json_line(scan_report_json(report)); }

ScanReport parse_scan_report(std::string_view bytes) {
  try {
    return parse_report(Json::parse(bytes));
  } catch (const Json::exception&) {
    throw Error(ErrorCode::VerificationFailed, "the report of the scan cannot be read");
  }
}

Json scan_json(const std::vector<ScannedFile>& files) {
  Json json = document("scan");
  Verdict worst = Verdict::Clean;
  Json list = Json::array();
  for (const ScannedFile& file : files) {
    worst = std::max(worst, file.report.verdict);
    list.push_back(file_json(file));
  }
  json["verdict"] = verdict_name(worst);
  json["files"] = std::move(list);
  return json;
}

}  // namespace weighbridge::cli
