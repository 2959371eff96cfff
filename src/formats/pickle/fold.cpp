#include "formats/pickle/fold.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "formats/pickle/fault.hpp"
#include "formats/pickle/kinds.hpp"

namespace weighbridge::pickle {
namespace {

// A getattr that makes a longer name is none that a writer makes.
constexpr std::size_t kLongestAttributeName = 255;

// No shape that is folded has more.
constexpr std::size_t kMostArguments = 2;

/// One call that may be folded. The functions below give kNoNode where it has another shape.
struct Site {
  Machine& m;
  NodeId callable;
  std::vector<NodeId> arguments;

  [[nodiscard]] const Graph& graph() const { return m.graph.graph(); }
  [[nodiscard]] Kind kind(std::size_t at) const { return graph().kind(arguments[at]); }
  [[nodiscard]] std::size_t count() const { return arguments.size(); }
};

bool is_sequence(const Graph& graph, NodeId node) {
  const Kind kind = graph.kind(node);
  return kind == Kind::List || kind == Kind::Tuple || kind == Kind::Set || kind == Kind::FrozenSet;
}

bool is_pair(const Graph& graph, NodeId node) {
  const Kind kind = graph.kind(node);
  return (kind == Kind::List || kind == Kind::Tuple) && graph.items(node).size() == 2;
}

// A stream that names one long list in call after call would make work and memory out of nothing: all
// containers that are looked into together hold no more items than the stream has bytes so far.
void charge(Machine& m, std::size_t items) {
  m.folded_items += items;
  if (m.folded_items <= m.in.consumed()) return;
  limit_exceeded(fmt::format("makes containers of {} items in all, after {} bytes of stream", m.folded_items,
                             m.in.consumed()));
}

NodeId make(const Site& site, Kind kind, const std::vector<NodeId>& items) {
  return site.m.graph.add_container(kind, items, site.callable);
}

NodeId fold_sequence(const Site& site, Kind kind, NodeId source) {
  if (!is_sequence(site.graph(), source)) return kNoNode;
  const auto items = site.graph().items(source);
  charge(site.m, items.size());
  return make(site, kind, {items.begin(), items.end()});
}

// list(), tuple(), set(), frozenset() of nothing or of a sequence.
NodeId fold_collection(const Site& site, Kind kind) {
  if (site.count() == 0) return make(site, kind, {});
  return site.count() == 1 ? fold_sequence(site, kind, site.arguments[0]) : kNoNode;
}

/// The container, with an argument that is not its content.
NodeId with_setting(const Site& site, NodeId container, std::size_t at) {
  if (container != kNoNode && site.count() > at) {
    site.m.graph.set_setting(container, site.arguments[at]);
  }
  return container;
}

// deque() may say how long it can get.
NodeId fold_deque(const Site& site) {
  if (site.count() == 0) return make(site, Kind::List, {});
  if (site.count() > 2) return kNoNode;
  return with_setting(site, fold_sequence(site, Kind::List, site.arguments[0]), 1);
}

// A dict, or a sequence of pairs.
NodeId fold_mapping(const Site& site, NodeId source) {
  const Graph& graph = site.graph();
  const auto items = graph.items(source);
  charge(site.m, items.size());
  if (graph.kind(source) == Kind::Dict) return make(site, Kind::Dict, {items.begin(), items.end()});
  const bool pairs = is_sequence(graph, source) &&
                     std::ranges::all_of(items, [&](NodeId item) { return is_pair(graph, item); });
  if (!pairs) return kNoNode;
  std::vector<NodeId> flat;
  flat.reserve(items.size() * 2);
  for (const NodeId item : items) {
    const auto pair = graph.items(item);
    flat.insert(flat.end(), pair.begin(), pair.end());
  }
  return make(site, Kind::Dict, flat);
}

// dict(), OrderedDict(), Counter() of nothing, of a dict or of pairs.
NodeId fold_dict(const Site& site) {
  if (site.count() == 0) return make(site, Kind::Dict, {});
  return site.count() == 1 ? fold_mapping(site, site.arguments[0]) : kNoNode;
}

// defaultdict() has the factory of missing values first.
NodeId fold_default_dict(const Site& site) {
  if (site.count() <= 1) return with_setting(site, make(site, Kind::Dict, {}), 0);
  return site.count() == 2 ? with_setting(site, fold_mapping(site, site.arguments[1]), 0) : kNoNode;
}

bool names_latin1(const Site& site, std::size_t at) {
  if (!is_text(site.graph(), site.arguments[at])) return false;
  const std::string_view encoding = site.graph().text(site.arguments[at]);
  return encoding == "latin1" || encoding == "latin-1";
}

// Protocols up to 2 write bytes as the text of their Latin-1 characters.
NodeId fold_encoded(const Site& site, Kind kind) {
  if (site.count() != 2 || site.kind(0) != Kind::Text || !names_latin1(site, 1)) return kNoNode;
  return site.m.graph.add_latin1(kind, site.arguments[0]);
}

// bytes() and bytearray() of nothing, of bytes or of encoded text.
NodeId fold_bytes(const Site& site, Kind kind) {
  if (site.count() == 0) return site.m.graph.add_payload(kind, {});
  if (site.count() == 2) return fold_encoded(site, kind);
  if (site.count() != 1) return kNoNode;
  const bool bytes =
      site.kind(0) == Kind::Bytes || site.kind(0) == Kind::ByteArray || site.kind(0) == Kind::Py2String;
  return bytes ? site.m.graph.add_same_payload(kind, site.arguments[0]) : kNoNode;
}

bool is_attribute_name(std::string_view name) {
  return !name.empty() && name.find('.') == std::string_view::npos;
}

// getattr(<global>, 'name') is how protocol 2 writes what later ones call <global>.name. Nothing else
// that getattr can do is tolerated, its own result as the object included.
NodeId fold_getattr(const Site& site) {
  if (site.count() != 2 || site.kind(0) != Kind::Global || !is_text(site.graph(), site.arguments[1]))
    return kNoNode;
  const NodeId object = site.arguments[0];
  const std::string_view attribute = site.graph().text(site.arguments[1]);
  const std::string name = fmt::format("{}.{}", site.graph().name(object), attribute);
  const bool plain = site.graph().name(object).find('.') == std::string_view::npos;
  if (!plain || !is_attribute_name(attribute) || name.size() > kLongestAttributeName) return kNoNode;
  site.m.attributes.folded = true;
  return site.m.graph.add_global(std::string(site.graph().module(object)), name);
}

bool is_array(const Graph& graph, NodeId node) {
  const Constructor constructor = called_constructor(graph, node);
  return constructor == Constructor::NumpyReconstruct || constructor == Constructor::NumpyFromBuffer;
}

// eval('data', {'data': <array>}) is how paddle writes the tensors of static graphs. No other text and
// no other name beside it is tolerated: the text would be code.
NodeId fold_eval(const Site& site) {
  const Graph& graph = site.graph();
  if (site.count() != 2 || !is_text(graph, site.arguments[0]) || site.kind(1) != Kind::Dict) return kNoNode;
  const auto names = graph.items(site.arguments[1]);
  if (graph.text(site.arguments[0]) != "data" || names.size() != 2 || !is_text(graph, names[0]))
    return kNoNode;
  if (graph.text(names[0]) != "data" || !is_array(graph, names[1])) return kNoNode;
  site.m.evaluations.folded = true;
  return names[1];
}

NodeId fold(const Site& site, Constructor constructor) {
  switch (constructor) {
    case Constructor::OrderedDict:
    case Constructor::Counter:
    case Constructor::Dict:
      return fold_dict(site);
    case Constructor::DefaultDict:
      return fold_default_dict(site);
    case Constructor::Deque:
      return fold_deque(site);
    case Constructor::List:
      return fold_collection(site, Kind::List);
    case Constructor::Tuple:
      return fold_collection(site, Kind::Tuple);
    case Constructor::Set:
      return fold_collection(site, Kind::Set);
    case Constructor::FrozenSet:
      return fold_collection(site, Kind::FrozenSet);
    case Constructor::Bytes:
      return fold_bytes(site, Kind::Bytes);
    case Constructor::ByteArray:
      return fold_bytes(site, Kind::ByteArray);
    case Constructor::CodecsEncode:
      return fold_encoded(site, Kind::Bytes);
    case Constructor::Getattr:
      return fold_getattr(site);
    case Constructor::Eval:
      return fold_eval(site);
    default:
      return kNoNode;
  }
}

}  // namespace

NodeId fold_call(Machine& machine, NodeId callable, NodeId arguments) {
  const Graph& graph = machine.graph.graph();
  const auto items = graph.items(arguments);
  if (graph.kind(callable) == Kind::Global && items.size() <= kMostArguments) {
    const Site site{machine, callable, {items.begin(), items.end()}};
    if (const NodeId folded = fold(site, graph.constructor(callable)); folded != kNoNode) return folded;
  }
  return machine.graph.add_call(Kind::Call, callable, arguments);
}

}  // namespace weighbridge::pickle
