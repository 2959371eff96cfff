#include "formats/torch/assemble.hpp"
#include "formats/torch/legacy_stream.hpp"
#include "formats/torch/read.hpp"
#include "formats/torch/report.hpp"

namespace weighbridge::torch {

Checkpoint read_legacy(SourcePtr source, const OpenOptions& options) {
  Findings findings;
  try {
    Document document = parse_legacy_stream(source, 0, options.limits, findings);
    return assemble(std::move(document), "torch-legacy", findings, options);
  } catch (const Error& error) {
    throw with_danger(error, findings);
  }
}

}  // namespace weighbridge::torch
