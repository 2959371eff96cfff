#include <algorithm>
#include <array>
#include <map>

#include <weighbridge/version.hpp>

#include <fmt/format.h>

#include "cli/scan_report.hpp"

namespace weighbridge::cli {
namespace {

std::string_view level(Verdict verdict) {
  switch (verdict) {
    case Verdict::Dangerous:
    case Verdict::Malformed:
      return "error";
    case Verdict::Unknown:
      return "warning";
    default:
      return "note";
  }
}

/// A path as a relative reference of RFC 3986.
std::string uri(std::string_view path) {
  constexpr std::string_view kPlain = "-._~/";
  std::string out;
  for (const char c : path) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// Collects the parts of a run that results refer to by their position.
class Run {
 public:
  void add(const ScannedFile& file) {
    const std::size_t artifact = add_artifact({{"location", {{"uri", uri(file.report.name)}}}});
    if (file.problem) return add_notification(file, artifact);
    file_ = &file.report;
    file_artifact_ = artifact;
    places_.clear();
    for (const ScannedGlobal& global : file.report.globals) add_global(global);
    for (const ScanFinding& finding : file.report.findings) add_finding(finding);
  }

  [[nodiscard]] Json take() && {
    Json driver = {{"name", "weighbridge"}, {"version", kVersion}, {"rules", std::move(rules_)}};
    const bool successful = notifications_.empty();
    Json invocation = {{"executionSuccessful", successful},
                       {"toolExecutionNotifications", std::move(notifications_)}};
    return {{"tool", {{"driver", std::move(driver)}}},
            {"invocations", Json::array({std::move(invocation)})},
            {"artifacts", std::move(artifacts_)},
            {"results", std::move(results_)}};
  }

 private:
  std::size_t add_artifact(Json artifact) {
    artifacts_.push_back(std::move(artifact));
    return artifacts_.size() - 1;
  }

  std::size_t rule(std::string_view code, Verdict verdict) {
    const auto [known, is_new] = rule_index_.try_emplace(std::string(code), rules_.size());
    if (is_new) {
      rules_.push_back({{"id", code},
                        {"shortDescription", {{"text", fmt::format("{} ({})", code, verdict_name(verdict))}}},
                        {"defaultConfiguration", {{"level", level(verdict)}}}});
    }
    return known->second;
  }

  /// The file itself or, as an artifact of its own with the file as its parent, what lies in it.
  std::size_t artifact_of(const std::string& place) {
    if (place == file_->name) return file_artifact_;
    const auto [known, is_new] = places_.try_emplace(place, artifacts_.size());
    if (is_new) {
      const bool inner = place.starts_with(file_->name + "!");
      const std::string_view rest = std::string_view(place).substr(inner ? file_->name.size() + 1 : 0);
      add_artifact({{"location", {{"uri", uri(rest)}}}, {"parentIndex", file_artifact_}});
    }
    return known->second;
  }

  void add_result(std::string_view code, Verdict verdict, const std::string& text, const std::string& place,
                  std::optional<std::uint64_t> offset) {
    const std::size_t artifact = artifact_of(place);
    Json physical = {
        {"artifactLocation", {{"uri", artifacts_[artifact]["location"]["uri"]}, {"index", artifact}}}};
    if (offset) physical["region"] = {{"byteOffset", *offset}};
    Json location = {{"physicalLocation", std::move(physical)},
                     {"logicalLocations", Json::array({{{"fullyQualifiedName", place}}})}};
    results_.push_back({{"ruleId", code},
                        {"ruleIndex", rule(code, verdict)},
                        {"level", level(verdict)},
                        {"message", {{"text", text}}},
                        {"locations", Json::array({std::move(location)})}});
  }

  void add_global(const ScannedGlobal& global) {
    if (global.verdict == Verdict::Clean) return;
    const bool dangerous = global.verdict == Verdict::Dangerous;
    add_result(dangerous ? "DangerousGlobal" : "UnknownGlobal", global.verdict,
               fmt::format("{}.{}: {}", global.module, global.name, global.reason), global.place,
               global.offset);
  }

  void add_finding(const ScanFinding& finding) {
    add_result(finding.code, finding.verdict, finding.message, finding.place, finding.offset);
  }

  void add_notification(const ScannedFile& file, std::size_t artifact) {
    Json location = {{"uri", uri(file.report.name)}, {"index", artifact}};
    notifications_.push_back(
        {{"level", "error"},
         {"message", {{"text", file.problem->what()}}},
         {"locations", Json::array({{{"physicalLocation", {{"artifactLocation", std::move(location)}}}}})}});
  }

  Json rules_ = Json::array();
  Json artifacts_ = Json::array();
  Json results_ = Json::array();
  Json notifications_ = Json::array();
  std::map<std::string, std::size_t> rule_index_;
  std::map<std::string, std::size_t> places_;  // Of the file at hand.
  const ScanReport* file_ = nullptr;
  std::size_t file_artifact_ = 0;
};

}  // namespace

Json scan_sarif(const std::vector<ScannedFile>& files) {
  Run run;
  for (const ScannedFile& file : files) run.add(file);
  return {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
          {"version", "2.1.0"},
          {"runs", Json::array({std::move(run).take()})}};
}

}  // namespace weighbridge::cli
