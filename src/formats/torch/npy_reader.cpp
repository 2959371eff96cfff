#include "formats/numpy/npy.hpp"
#include "formats/pickle/graph_builder.hpp"
#include "formats/torch/assemble.hpp"
#include "formats/torch/read.hpp"
#include "formats/torch/report.hpp"

namespace weighbridge::torch {
namespace {

/// A graph of one node, so that a lone array is described like every other one.
Document document_of(numpy::Array array) {
  pickle::GraphBuilder builder(array.source, 3);
  const pickle::NodeId type = builder.add_global("numpy", "ndarray");
  const pickle::NodeId arguments = builder.add_container(pickle::Kind::Tuple, {});
  Document document;
  document.root = builder.add_call(pickle::Kind::Object, type, arguments);
  document.graph = std::move(builder).finish();
  document.arrays.emplace(document.root, std::move(array));
  return document;
}

/// An array of objects is a pickle of itself.
Document parse_objects(const SourcePtr& source, std::uint64_t offset, const Limits& limits,
                       Findings& findings) {
  pickle::Outcome outcome = run_reported(source, offset, limits, findings);
  report_rest(*source, outcome.end, findings);
  Document document;
  document.graph = std::move(outcome.graph);
  document.root = outcome.root;
  return document;
}

Document parse_npy(const SourcePtr& source, const OpenOptions& options, Findings& findings) {
  numpy::NpyHeader header = numpy::parse_npy_header(*source);
  if (numpy::holds_objects(*header.type)) {
    return parse_objects(source, header.data_offset, options.limits, findings);
  }
  numpy::resolve_void(header, options.numpy_void);
  numpy::Array array = numpy::npy_array(header, source, options.limits);
  report_rest(*source, array.offset + array.bytes, findings);
  return document_of(std::move(array));
}

}  // namespace

Checkpoint read_npy(SourcePtr source, const OpenOptions& options) {
  Findings findings;
  try {
    Document document = parse_npy(source, options, findings);
    return assemble(std::move(document), "npy", findings, options);
  } catch (const Error& error) {
    throw with_danger(error, findings);
  }
}

}  // namespace weighbridge::torch
