#include "formats/torch/roots.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <weighbridge/error.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/parts.hpp"
#include "formats/torch/rebuild.hpp"

namespace weighbridge::torch {
namespace {

/// Keys under which training programs put the model, most telling first.
constexpr std::array<std::string_view, 21> kWrappers = {
    "model_state_dict",
    "state_dict",
    "model_state",
    "module",
    "params_ema",
    "params-ema",
    "params",
    "model",
    "net",
    "network",
    "generator",
    "net_g",
    "netG",
    "G_ema",
    "ema",
    "model_ema",
    "state_dict_ema",
    "weights",
    "encoder",
    "policy",
    "actor",
};

/// These are the model only when nothing beside them holds tensors: an encoder has a decoder.
constexpr std::array<std::string_view, 3> kLoneWrappers = {"encoder", "policy", "actor"};

/// More levels of wrapping than any program makes.
constexpr int kMostLevels = 16;
constexpr std::size_t kMostCandidates = 64;

bool holds_entries(const Document& document, NodeId node) {
  const Graph& graph = document.graph;
  if (is_tensor(document, node)) return false;
  return kind_of(graph, node) == Kind::Dict || is_instance(graph, node);
}

/// TorchScript's own modules have their parts as plain attributes.
bool is_script_module(const Graph& graph, NodeId node) {
  return is_instance(graph, node) && kind_of(graph, graph.callable(node)) == Kind::Global &&
         graph.module(graph.callable(node)).starts_with("__torch__");
}

/// A part together with its text, of those that hold tensors.
struct Branch {
  std::string segment;
  const Part* part;
};

std::vector<Branch> branches_of(const Document& document, const Census& census,
                                const std::vector<Part>& parts) {
  std::vector<Branch> branches;
  for (const Part& part : parts) {
    if (census.below(part.value) == 0) continue;
    bool escaped = false;
    auto segment = find_segment(document.graph, part, escaped);
    if (segment) branches.push_back({std::move(*segment), &part});
  }
  return branches;
}

class Finder {
 public:
  Finder(const Document& document, const Census& census) : document_(document), census_(census) {}

  RootChoice run() {
    choice_.plan = {.root = document_.root, .skip_optimizers = true};
    for (int level = 0; level < kMostLevels && descend(); ++level) {
    }
    choice_.plan.skip_optimizers = holds_more_than_optimizers();
    return std::move(choice_);
  }

 private:
  /// Enters the next wrapper; false when the state dict is reached.
  bool descend() {
    const NodeId node = choice_.plan.root;
    if (node == kNoNode || is_tensor(document_, node)) return false;
    if (is_module(document_.graph, node) || is_script_module(document_.graph, node)) return false;
    const auto parts = tensor_parts(document_, node);
    auto branches = branches_of(document_, census_, parts);
    std::erase_if(branches, [this](const Branch& branch) {
      return branch.part->role == Role::Entry &&
             is_optimizer(document_.graph, branch.part->key, branch.part->value);
    });
    const Branch* next = find_wrapper(node, branches);
    if (next == nullptr && branches.size() == 1) next = &branches.front();
    if (next == nullptr || is_tensor(document_, next->part->value)) return false;
    enter(*next);
    return true;
  }

  const Branch* find_wrapper(NodeId node, const std::vector<Branch>& branches) const {
    if (!holds_entries(document_, node)) return nullptr;
    if (const Branch* ema = find_whole_ema(branches)) return ema;
    for (const std::string_view key : kWrappers) {
      const Branch* branch = find(branches, key);
      if (branch == nullptr || !holds_entries(document_, branch->part->value)) continue;
      if (branches.size() > 1 && std::ranges::find(kLoneWrappers, key) != kLoneWrappers.end()) continue;
      return branch;
    }
    return nullptr;
  }

  /// ultralytics saves two whole modules and means `ema` whenever there is one.
  const Branch* find_whole_ema(const std::vector<Branch>& branches) const {
    const Branch* ema = find(branches, "ema");
    const Branch* model = find(branches, "model");
    if (ema == nullptr || !is_module(document_.graph, ema->part->value)) return nullptr;
    return model == nullptr || is_module(document_.graph, model->part->value) ? ema : nullptr;
  }

  static const Branch* find(const std::vector<Branch>& branches, std::string_view key) {
    const auto found = std::ranges::find(branches, key, &Branch::segment);
    return found == branches.end() ? nullptr : &*found;
  }

  void enter(const Branch& branch) {
    choice_.plan.root = branch.part->value;
    choice_.path = choice_.path == "." ? branch.segment : fmt::format("{}.{}", choice_.path, branch.segment);
  }

  /// A checkpoint of nothing but an optimizer is taken as it is.
  bool holds_more_than_optimizers() const {
    const auto parts = tensor_parts(document_, choice_.plan.root);
    return std::ranges::any_of(parts, [this](const Part& part) {
      return census_.below(part.value) > 0 && !is_optimizer(document_.graph, part.key, part.value);
    });
  }

  const Document& document_;
  const Census& census_;
  RootChoice choice_;
};

/// Looks for a path, trying every way to cut it at its dots.
class PathSearch {
 public:
  PathSearch(const Document& document, std::string_view path) : document_(document), path_(path) {}

  NodeId run() {
    open_.push_back({document_.root, 0});
    while (!open_.empty()) {
      const Position at = open_.back();
      open_.pop_back();
      if (at.consumed > path_.size()) return at.node;
      if (seen_.insert({at.node, at.consumed}).second) expand(at);
    }
    return kNoNode;
  }

 private:
  struct Position {
    NodeId node;
    std::size_t consumed;  ///< Characters of the path; one more than there are at its end.
  };

  void expand(const Position& at) {
    const std::string_view rest = path_.substr(at.consumed);
    const auto parts = tensor_parts(document_, at.node);
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      bool escaped = false;
      const auto segment = find_segment(document_.graph, *part, escaped);
      if (!segment || !rest.starts_with(*segment)) continue;
      if (rest.size() > segment->size() && rest[segment->size()] != '.') continue;
      open_.push_back({part->value, at.consumed + segment->size() + 1});
    }
  }

  const Document& document_;
  std::string_view path_;
  std::vector<Position> open_;
  std::set<std::pair<NodeId, std::size_t>> seen_;
};

std::vector<std::string> candidate_paths(const std::vector<RootCandidate>& candidates) {
  std::vector<std::string> paths;
  for (const RootCandidate& candidate : candidates) {
    if (paths.size() < 8) paths.push_back(fmt::format("'{}'", printable(candidate.path)));
  }
  return paths;
}

}  // namespace

RootChoice find_root(const Document& document, const Census& census) {
  return Finder(document, census).run();
}

RootChoice get_root(const Document& document, const Census& census, std::string_view path) {
  RootChoice whole{.plan = {.root = document.root, .skip_optimizers = false}, .path = "."};
  if (path == ".") return whole;
  const NodeId node = PathSearch(document, path).run();
  if (node != kNoNode) return {.plan = {.root = node, .skip_optimizers = false}, .path = std::string(path)};
  const auto candidates = list_candidates(document, census, whole);
  throw Error(ErrorCode::NoTensors,
              fmt::format("there is nothing at '{}'; the file has {}", printable(path),
                          fmt::join(candidate_paths(candidates), ", ")),
              std::string(path));
}

std::vector<RootCandidate> list_candidates(const Document& document, const Census& census,
                                           const RootChoice& chosen) {
  std::vector<RootCandidate> candidates = {{".", census.below(document.root)}};
  const auto parts = tensor_parts(document, document.root);
  for (const Branch& branch : branches_of(document, census, parts)) {
    if (is_tensor(document, branch.part->value) || candidates.size() >= kMostCandidates) continue;
    candidates.push_back({branch.segment, census.below(branch.part->value)});
  }
  if (std::ranges::find(candidates, chosen.path, &RootCandidate::path) == candidates.end()) {
    candidates.push_back({chosen.path, census.below(chosen.plan.root)});
  }
  return candidates;
}

}  // namespace weighbridge::torch
