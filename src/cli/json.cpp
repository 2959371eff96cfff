#include "cli/json.hpp"

#include <fmt/format.h>

namespace weighbridge::cli {
namespace {

Json offset_json(const std::optional<std::uint64_t>& offset) {
  return offset ? Json(*offset) : Json(nullptr);
}

Json finding_json(const Finding& finding) {
  return {{"severity", severity_name(finding.severity)},
          {"code", finding.code},
          {"message", finding.message},
          {"subject", finding.subject},
          {"offset", offset_json(finding.offset)}};
}

}  // namespace

Json document(std::string_view verb) {
  Json json = Json::object();
  json["schema"] = fmt::format("weighbridge.{}.v1", verb);
  return json;
}

Json errno_json(const Error& error) {
  return error.system_error() != 0 ? Json(error.system_error()) : Json(nullptr);
}

Json error_json(const Error& error) {
  Json json = document("error");
  json["error"] = {{"code", error_code_name(error.code())},
                   {"message", error.what()},
                   {"subject", error.subject()},
                   {"offset", offset_json(error.offset())},
                   {"errno", errno_json(error)}};
  return json;
}

Json findings_json(const Findings& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) list.push_back(finding_json(finding));
  return list;
}

Json metadata_json(const std::optional<Metadata>& metadata) {
  if (!metadata) return nullptr;
  Json json = Json::object();
  for (const auto& [key, value] : *metadata) json[key] = value;
  return json;
}

Json tensor_json(const TensorSpec& spec) {
  return {{"name", spec.name},
          {"dtype", dtype_name(spec.dtype)},
          {"shape", spec.shape},
          {"bytes", byte_size(spec.dtype, spec.shape)}};
}

std::string json_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

void print_json(std::FILE* stream, const Json& json) {
  fmt::print(stream, "{}\n", json.dump(2, ' ', true, Json::error_handler_t::replace));
}

}  // namespace weighbridge::cli
