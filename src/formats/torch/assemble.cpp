#include "formats/torch/assemble.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/arrays.hpp"
#include "formats/torch/extras.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/paddle.hpp"
#include "formats/torch/rebuild.hpp"
#include "formats/torch/recipe.hpp"
#include "formats/torch/roots.hpp"
#include "formats/torch/taken.hpp"

namespace weighbridge::torch {
namespace {

/// The tensors outside the root, under their paths from the file's own root: the optimizer's state, and
/// whatever else training left there.
std::vector<NamedTensor> name_rest(const Document& document, const Census& census, const RootChoice& choice,
                                   const std::vector<NamedTensor>& taken, const OpenOptions& options,
                                   Findings& findings) {
  if (options.optimizer == OptimizerPolicy::Skip || choice.plan.root == kNoNode) return {};
  const bool whole = choice.plan.root == document.root && !choice.plan.skip_optimizers;
  if (whole || is_tensor(document, document.root)) return {};
  auto rest = name_tensors(document, census, {.root = document.root, .skip_optimizers = false},
                           options.limits, findings);
  std::set<std::string> known;
  const bool lone = is_tensor(document, choice.plan.root);
  for (const NamedTensor& tensor : taken) {
    if (choice.path == ".") {
      known.insert(tensor.name);
    } else {
      known.insert(lone ? choice.path : choice.path + "." + tensor.name);
    }
  }
  std::erase_if(rest, [&](const NamedTensor& tensor) { return known.contains(tensor.name); });
  return rest;
}

/// With OptimizerPolicy::Inline both kinds of names meet in one file.
void refuse_collision(const std::vector<NamedTensor>& tensors, const std::vector<NamedTensor>& rest) {
  std::set<std::string_view> names;
  for (const NamedTensor& tensor : tensors) names.insert(tensor.name);
  for (const NamedTensor& tensor : rest) {
    if (!names.contains(tensor.name)) continue;
    throw Error(ErrorCode::NameCollision,
                fmt::format("two tensors would be named '{}', one of the model and one outside it",
                            printable(tensor.name)),
                tensor.name);
  }
}

void report_left_out(const Checkpoint& checkpoint, std::uint64_t taken, std::uint64_t all,
                     Findings& findings) {
  if (all <= taken) return;
  findings.push_back(
      {.severity = Severity::Info,
       .code = "TensorsNotTaken",
       .message = fmt::format("{} tensors are outside '{}' and not taken; the key '.' takes all", all - taken,
                              printable(checkpoint.root)),
       .subject = checkpoint.root,
       .offset = std::nullopt});
}

/// Where torch has tensors, arrays do not decide what the model is.
RootChoice find_root_of_model(const Document& document, const Census& census) {
  const Census torch_census(document, Counted::Tensors);
  return find_root(document, torch_census.below(document.root) > 0 ? torch_census : census);
}

bool holds_numpy_alone(const Document& document) {
  return !document.arrays.empty() && !holds_torch_tensors(document);
}

/// The key "." takes everything, unless the optimizer is to have a file of its own.
RootChoice choose_root(const Document& document, const Census& census, const OpenOptions& options) {
  if (!options.key) return find_root_of_model(document, census);
  RootChoice choice = get_root(document, census, *options.key);
  if (options.optimizer == OptimizerPolicy::Separate) choice.plan.skip_optimizers = true;
  return choice;
}

Checkpoint build(std::shared_ptr<const Document> document, Findings& findings, const OpenOptions& options) {
  const Census census(*document, Counted::TensorsAndArrays);
  RootChoice choice = choose_root(*document, census, options);
  auto named = name_tensors(*document, census, choice.plan, options.limits, findings);
  if (named.empty() && choice.plan.skip_optimizers) {  // nothing but an optimizer: it is the content
    choice.plan.skip_optimizers = false;
    named = name_tensors(*document, census, choice.plan, options.limits, findings);
  }
  auto rest = name_rest(*document, census, choice, named, options, findings);
  if (options.optimizer == OptimizerPolicy::Inline) {
    refuse_collision(named, rest);
    std::ranges::move(rest, std::back_inserter(named));
    rest.clear();
  }

  Checkpoint checkpoint;
  Taken model = take_tensors(*document, named, options, findings);
  Taken outside = take_tensors(*document, rest, options, findings);
  checkpoint.tensors = std::move(model.entries);
  checkpoint.optimizer = std::move(outside.entries);
  checkpoint.metadata = Metadata{{"format", holds_numpy_alone(*document) ? "np" : "pt"}};
  checkpoint.root = choice.path;
  checkpoint.candidates = list_candidates(*document, census, choice);
  report_left_out(checkpoint, named.size() + rest.size(), census.below(document->root), findings);
  report_arrays(*document, census, options, findings);
  checkpoint.extras = make_extras(std::move(document), model.origins, outside.origins, options);
  return checkpoint;
}

}  // namespace

Checkpoint assemble(Document document, std::string_view format, Findings findings,
                    const OpenOptions& options) {
  document.root = strip_tags(document.graph, document.root);
  if (document.arrays.empty()) document.arrays = numpy::find_arrays(document.graph, options.limits);
  join_slices(document, options.limits);
  Checkpoint checkpoint = build(std::make_shared<const Document>(std::move(document)), findings, options);
  checkpoint.format = format;
  checkpoint.findings = std::move(findings);
  return checkpoint;
}

}  // namespace weighbridge::torch
