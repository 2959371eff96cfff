#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "formats/pickle/kinds.hpp"
#include "scan/benign.hpp"
#include "scan/streams.hpp"

namespace weighbridge::scanning {
namespace {

using pickle::GlobalClass;
using pickle::GlobalUse;

struct Judgement {
  Verdict verdict = Verdict::Unknown;
  std::string_view reason;
};

Judgement judge(const GlobalUse& use) {
  if (use.verdict == GlobalClass::Dangerous) return {Verdict::Dangerous, pickle::danger_of(use)};
  if (use.verdict == GlobalClass::Constructor) return {Verdict::Clean, "builds data"};
  if (is_benign(use.module, use.name)) return {Verdict::Clean, "known to build data only"};
  return {Verdict::Unknown, "not known; a loader imports its module and calls it"};
}

}  // namespace

void note_globals(Scan& scan, const Content& content, const pickle::Graph& graph) {
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> seen;
  std::vector<ScannedGlobal> found;
  for (const GlobalUse& use : graph.globals()) {
    const auto [known, is_new] = seen.try_emplace({use.module, use.name}, found.size());
    const Judgement judgement = judge(use);
    if (is_new) {
      found.push_back({.verdict = judgement.verdict,
                       .module = std::string(use.module),
                       .name = std::string(use.name),
                       .reason = std::string(judgement.reason),
                       .place = content.place,
                       .offset = use.offset});
      continue;
    }
    ScannedGlobal& global = found[known->second];
    ++global.uses;
    if (judgement.verdict <= global.verdict) continue;  // One getattr of several may be the harmful one.
    global.verdict = judgement.verdict;
    global.reason = judgement.reason;
  }
  for (ScannedGlobal& global : found) scan.evidence.add(std::move(global));
}

bool names_danger(const pickle::Graph& graph) {
  return std::ranges::find(graph.globals(), GlobalClass::Dangerous, &GlobalUse::verdict) !=
         graph.globals().end();
}

bool makes_calls(const pickle::Graph& graph) {
  for (pickle::NodeId node = 0; node < graph.size(); ++node) {
    const pickle::Kind kind = graph.kind(node);
    if (kind == pickle::Kind::Call || kind == pickle::Kind::Object) return true;
    if (graph.origin(node) != pickle::kNoNode) return true;
  }
  return false;
}

}  // namespace weighbridge::scanning
