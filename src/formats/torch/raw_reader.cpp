#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "formats/numpy/joblib_wrapper.hpp"
#include "formats/torch/assemble.hpp"
#include "formats/torch/dcp_metadata.hpp"
#include "formats/torch/dcp_reader.hpp"
#include "formats/torch/joblib_reader.hpp"
#include "formats/torch/legacy_stream.hpp"
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

Error failure_of(const ByteSource& source, const Error& failure) {
  if (has_proto(source) || failure.code() == ErrorCode::LimitExceeded) return failure;
  return {ErrorCode::UnknownFormat, fmt::format("no known format, and no pickle either: {}", failure.what())};
}

Checkpoint read_stream(SourcePtr source, const OpenOptions& options, Findings& findings) {
  pickle::Outcome outcome = pickle::run(source, 0, options.limits);
  if (numpy::names_wrapper(outcome.graph)) {
    return read_joblib(std::move(source), outcome.graph, options, findings);
  }
  report_globals(outcome.graph, options.limits, findings);
  if (outcome.failure) throw failure_of(*source, *outcome.failure);
  report_rest(*source, outcome.end, findings);
  Document document;
  document.graph = std::move(outcome.graph);
  document.root = outcome.root;
  add_nested_storages(document, 1, options.limits, findings);
  if (!is_dcp_metadata(document)) return assemble(std::move(document), "pickle", findings, options);
  Checkpoint checkpoint = read_dcp(document, findings, options);
  checkpoint.source_bytes += source->size();
  return checkpoint;
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
    return read_stream(std::move(source), options, findings);
  } catch (const Error& error) {
    throw with_danger(error, findings);
  }
}

}  // namespace weighbridge::torch
