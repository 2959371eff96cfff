#include "formats/torch/assemble.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/extras.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/rebuild.hpp"
#include "formats/torch/recipe.hpp"
#include "formats/torch/roots.hpp"

namespace weighbridge::torch {
namespace {

bool holds_numpy_arrays(const Graph& graph) {
  for (NodeId node = 0; node < graph.size(); ++node) {
    const Constructor callable = callable_of(graph, node);
    if (callable == Constructor::NumpyReconstruct || callable == Constructor::NumpyFromBuffer ||
        callable == Constructor::NumpyNdarray) {
      return true;
    }
  }
  return false;
}

std::vector<TensorEntry> rebuild_all(const Document& document, const std::vector<NamedTensor>& named,
                                     const Limits& limits) {
  std::vector<TensorEntry> tensors;
  tensors.reserve(named.size());
  for (const NamedTensor& tensor : named) {
    tensors.push_back(rebuild_tensor(document, tensor.node, tensor.name, limits));
  }
  return tensors;
}

void report_left_out(const Checkpoint& checkpoint, std::uint64_t all, Findings& findings) {
  if (all <= checkpoint.tensors.size()) return;
  findings.push_back(
      {.severity = Severity::Info,
       .code = "TensorsNotTaken",
       .message = fmt::format("{} tensors are outside '{}' and not taken; the key '.' takes all",
                              all - checkpoint.tensors.size(), printable(checkpoint.root)),
       .subject = checkpoint.root,
       .offset = std::nullopt});
}

Checkpoint build(std::shared_ptr<const Document> document, Findings& findings, const OpenOptions& options) {
  const Census census(*document);
  if (census.below(document->root) == 0 && holds_numpy_arrays(document->graph)) {
    throw Error(ErrorCode::Unsupported, "not yet supported: numpy arrays in pickles");
  }
  const RootChoice choice =
      options.key ? get_root(*document, census, *options.key) : find_root(*document, census);
  const auto named = name_tensors(*document, census, choice.plan, options.limits, findings);

  Checkpoint checkpoint;
  checkpoint.tensors = rebuild_all(*document, named, options.limits);
  checkpoint.metadata = Metadata{{"format", "pt"}};
  checkpoint.root = choice.path;
  checkpoint.candidates = list_candidates(*document, census, choice);
  report_left_out(checkpoint, census.below(document->root), findings);
  checkpoint.extras = make_extras(std::move(document), named, options.limits);
  return checkpoint;
}

}  // namespace

Checkpoint assemble(Document document, std::string_view format, Findings findings,
                    const OpenOptions& options) {
  document.root = strip_tags(document.graph, document.root);
  Checkpoint checkpoint = build(std::make_shared<const Document>(std::move(document)), findings, options);
  checkpoint.format = format;
  checkpoint.findings = std::move(findings);
  return checkpoint;
}

}  // namespace weighbridge::torch
