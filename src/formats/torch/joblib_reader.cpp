#include "formats/torch/joblib_reader.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/compressed/compressed.hpp"
#include "formats/numpy/joblib_wrapper.hpp"
#include "formats/numpy/npy.hpp"
#include "formats/torch/assemble.hpp"
#include "formats/torch/legacy_stream.hpp"
#include "formats/torch/report.hpp"

namespace weighbridge::torch {
namespace {

SourcePtr get_companion(const std::string& name, const OpenOptions& options) {
  const SourcePtr file = options.folder ? options.folder->find(name) : nullptr;
  if (file) return file;
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("its data lies in the file '{}', which is not there", printable(name)));
}

numpy::Array read_companion(const pickle::Graph& graph, const numpy::Companion& companion,
                            const OpenOptions& options) {
  SourcePtr file = get_companion(companion.file, options);
  if (companion.compressed) {
    SourcePtr data =
        compressed::decompressed_source(std::move(file), compressed::Codec::JoblibZ, options.limits);
    return numpy::array_of_companion(graph, companion, std::move(data), options.limits);
  }
  const numpy::NpyHeader header = numpy::parse_npy_header(*file);
  if (numpy::holds_objects(*header.type)) {
    throw Error(ErrorCode::Unsupported, "arrays of objects in a file of their own are not read");
  }
  return numpy::npy_array(header, std::move(file), options.limits);
}

void add_companions(Document& document, const OpenOptions& options) {
  for (const numpy::Companion& companion : numpy::find_companions(document.graph)) {
    document.arrays.emplace(
        companion.node, numpy::attempt([&] { return read_companion(document.graph, companion, options); }));
  }
}

}  // namespace

Checkpoint read_joblib(SourcePtr source, const pickle::Graph& plain, const OpenOptions& options,
                       Findings& findings) {
  pickle::Outcome outcome = pickle::run(source, 0, options.limits, numpy::find_joblib_inlay(source));
  report_globals(outcome.graph, options.limits, findings);
  report_dangers(plain, options.limits, findings);
  if (outcome.failure) throw *outcome.failure;
  report_rest(*source, outcome.end, findings);
  Document document;
  document.graph = std::move(outcome.graph);
  document.root = outcome.root;
  add_nested_storages(document, 1, options.limits, findings);
  document.arrays = numpy::find_arrays(document.graph, options.limits);
  numpy::add_inlays(document.graph, outcome.inlays, source, options.limits, document.arrays);
  add_companions(document, options);
  return assemble(std::move(document), "joblib", findings, options);
}

}  // namespace weighbridge::torch
