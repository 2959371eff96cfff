#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "scan/streams.hpp"

namespace weighbridge::scanning {
namespace {

using pickle::Graph;
using pickle::Kind;
using pickle::kNoNode;
using pickle::NodeId;

/// Values that a stream describes when each mention of a container counts anew. Sharing is common, at this
/// scale only an attack: a hundred million, and a thousand for each value that the stream makes.
constexpr std::uint64_t kMostValues = 100'000'000;
constexpr std::uint64_t kMostRatio = 1000;

enum class Visit : std::uint8_t { None, Open, Done };

/// Calls `visit` with every node that `node` refers to.
template <typename F>
void for_each_part(const Graph& graph, NodeId node, F visit) {
  for (const NodeId item : graph.items(node)) visit(item);
  for (const NodeId item : graph.dict_items(node)) visit(item);
  const Kind kind = graph.kind(node);
  const bool call = kind == Kind::Call || kind == Kind::Object;
  const auto visit_if = [&](NodeId part) {
    if (part != kNoNode) visit(part);
  };
  visit_if(graph.state(node));
  if (call) visit_if(graph.arguments(node));
  if (call) visit_if(graph.keywords(node));
  if (kind == Kind::Persistent) visit_if(graph.persistent_id(node));
}

/// Sizes of the trees below all nodes, each node counted once for every way to it; saturating. A node that
/// contains itself is cut there. Linear in the graph, without recursion.
class TreeSizes {
 public:
  explicit TreeSizes(const Graph& graph) : graph_(graph), visits_(graph.size()), sizes_(graph.size(), 1) {}

  std::uint64_t of(NodeId root) {
    std::vector<NodeId> open = {root};
    while (!open.empty()) {
      const NodeId node = open.back();
      if (visits_[node] == Visit::None) {
        visits_[node] = Visit::Open;
        for_each_part(graph_, node, [&](NodeId part) {
          if (visits_[part] == Visit::None) open.push_back(part);
        });
        continue;
      }
      open.pop_back();
      if (visits_[node] == Visit::Open) settle(node);
    }
    return sizes_[root];
  }

 private:
  void settle(NodeId node) {
    std::uint64_t size = 1;
    for_each_part(graph_, node, [&](NodeId part) {
      const std::uint64_t below = visits_[part] == Visit::Done ? sizes_[part] : 1;
      size = size > UINT64_MAX - below ? UINT64_MAX : size + below;
    });
    sizes_[node] = size;
    visits_[node] = Visit::Done;
  }

  const Graph& graph_;
  std::vector<Visit> visits_;
  std::vector<std::uint64_t> sizes_;
};

}  // namespace

void note_expansion(Scan& scan, const Content& content, const pickle::Outcome& outcome) {
  const Graph& graph = outcome.graph;
  if (graph.size() == 0) return;
  // A stream that broke off has no root; its last node is the most that it had put together.
  const NodeId root = outcome.root != kNoNode ? outcome.root : static_cast<NodeId>(graph.size() - 1);
  const std::uint64_t values = TreeSizes(graph).of(root);
  if (values <= kMostValues || values / kMostRatio <= graph.size()) return;
  scan.evidence.add(
      {.verdict = Verdict::Malformed,
       .code = "ExponentialExpansion",
       .message = fmt::format("{} values stand for {}{} when whoever walks them counts each anew",
                              graph.size(), values == UINT64_MAX ? "more than " : "", values),
       .place = content.place,
       .offset = graph.offset(root)});
}

}  // namespace weighbridge::scanning
