#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "formats/torch/assemble.hpp"
#include "formats/torch/dcp_metadata.hpp"
#include "formats/torch/dcp_reader.hpp"
#include "formats/torch/legacy_stream.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/read.hpp"
#include "formats/torch/report.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::uint8_t kProto = 0x80;
constexpr std::uint8_t kHighestProtocol = 5;
/// What pickles of protocols 0 and 1 start with: constants, empty containers, MARK, GLOBAL, PERSID.
constexpr std::string_view kFirstOpcodes = "(ILFNSVPcJKMGTUX])}";

std::uint8_t byte_at(const ByteSource& source, std::uint64_t offset) {
  std::array<std::byte, 1> byte{};
  source.read_at(offset, byte);
  return std::to_integer<std::uint8_t>(byte[0]);
}

bool has_proto(const ByteSource& source) {
  return source.size() >= 2 && byte_at(source, 0) == kProto && byte_at(source, 1) <= kHighestProtocol;
}

/// joblib writes arrays between the opcodes, where a plain machine loses its way.
bool names_joblib(const Graph& graph) {
  return std::ranges::any_of(graph.globals(), [](const pickle::GlobalUse& use) {
    return pickle::find_constructor(use.module, use.name) == Constructor::JoblibWrapper;
  });
}

void report_rest(const ByteSource& source, std::uint64_t end, Findings& findings) {
  if (end == source.size()) return;
  findings.push_back({.severity = Severity::Warning,
                      .code = "TrailingBytes",
                      .message = fmt::format("{} bytes behind the pickle are ignored", source.size() - end),
                      .subject = {},
                      .offset = end});
}

Error failure_of(const ByteSource& source, const pickle::Outcome& outcome) {
  if (names_joblib(outcome.graph)) {
    return {ErrorCode::Unsupported, "not yet supported: joblib files"};
  }
  if (has_proto(source) || outcome.failure->code() == ErrorCode::LimitExceeded) return *outcome.failure;
  return {ErrorCode::UnknownFormat,
          fmt::format("no known format, and no pickle either: {}", outcome.failure->what())};
}

Document parse_document(const SourcePtr& source, const Limits& limits, Findings& findings) {
  pickle::Outcome outcome = pickle::run(source, 0, limits);
  report_globals(outcome.graph, limits, findings);
  if (outcome.failure) throw failure_of(*source, outcome);
  report_rest(*source, outcome.end, findings);
  Document document;
  document.graph = std::move(outcome.graph);
  document.root = outcome.root;
  add_nested_storages(document, 1, limits, findings);
  return document;
}

}  // namespace

bool looks_like_pickle(const ByteSource& source) {
  if (has_proto(source)) return true;
  return source.size() >= 2 &&
         kFirstOpcodes.find(static_cast<char>(byte_at(source, 0))) != std::string_view::npos;
}

Checkpoint read_raw(SourcePtr source, const OpenOptions& options) {
  Findings findings;
  try {
    Document document = parse_document(source, options.limits, findings);
    if (is_dcp_metadata(document)) return read_dcp(document, findings, options);
    return assemble(std::move(document), "pickle", findings, options);
  } catch (const Error& error) {
    throw with_danger(error, findings);
  }
}

}  // namespace weighbridge::torch
