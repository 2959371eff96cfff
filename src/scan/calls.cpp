#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/pickle/kinds.hpp"
#include "scan/benign.hpp"
#include "scan/streams.hpp"

namespace weighbridge::scanning {
namespace {

using pickle::Constructor;
using pickle::Graph;
using pickle::Kind;
using pickle::kNoNode;
using pickle::NodeId;

/// What Python code that does harm can hardly do without.
constexpr auto kCodeWords =
    std::to_array<std::string_view>({"__import__(", "eval(", "exec(", "os.system", "os.popen", "subprocess",
                                     "importlib", "builtins", "popen(", "socket.socket", "urlopen("});

/// A text of that length is looked through; a program to be run is rarely longer.
constexpr std::size_t kMostText = 64 * 1024;

bool is_call(const Graph& graph, NodeId node) {
  return graph.kind(node) == Kind::Call || graph.kind(node) == Kind::Object;
}

std::span<const NodeId> arguments_of(const Graph& graph, NodeId call) {
  const NodeId arguments = graph.arguments(call);
  return arguments == kNoNode ? std::span<const NodeId>{} : graph.items(arguments);
}

std::string full_name(const Graph& graph, NodeId global) {
  return printable(fmt::format("{}.{}", graph.module(global), graph.name(global)));
}

/// The calls of one stream, one after another.
class CallNotes {
 public:
  CallNotes(Scan& scan, const Content& content, const Graph& graph)
      : scan_(scan), content_(content), graph_(graph) {}

  void note(NodeId call) {
    const NodeId callable = graph_.callable(call);
    const Kind kind = graph_.kind(callable);
    // Old torch files name the class of a module by a persistent id.
    if (kind == Kind::Persistent) return;
    if (kind != Kind::Global) return note_computed(call, callable);
    note_known(call, graph_.constructor(callable));
    if (graph_.constructor(callable) == Constructor::None) note_code_text(call, callable);
  }

 private:
  void add(Verdict verdict, std::string_view code, std::string message, NodeId node) {
    scan_.evidence.add({.verdict = verdict,
                        .code = std::string(code),
                        .message = std::move(message),
                        .place = content_.place,
                        .offset = graph_.offset(node)});
  }

  void note_computed(NodeId call, NodeId callable) {
    add(Verdict::Dangerous, "ComputedCallable",
        fmt::format("calls {}, which only running the stream would tell", describe(graph_, callable)), call);
  }

  void note_known(NodeId call, Constructor constructor) {
    switch (constructor) {
      case Constructor::LoadFromBytes:
        return scan_nested(call);
      case Constructor::RebuildFromType:
      case Constructor::RebuildFromTypeV2:
        return note_rebuild(call);
      case Constructor::CodecsEncode:
        return add(Verdict::Unknown, "OddEncoding",
                   "_codecs.encode with something other than Latin-1 text, which no writer of bytes needs",
                   call);
      default:
        return;
    }
  }

  /// Its first argument is a function that it calls.
  void note_rebuild(NodeId call) {
    const auto arguments = arguments_of(graph_, call);
    if (!arguments.empty() && graph_.kind(arguments[0]) != Kind::Global) note_computed(call, arguments[0]);
  }

  void scan_nested(NodeId call) {
    const auto arguments = arguments_of(graph_, call);
    if (arguments.size() != 1) return;
    const Kind kind = graph_.kind(arguments[0]);
    if (kind != Kind::Bytes && kind != Kind::ByteArray && kind != Kind::Py2String) return;
    if (!nested_.insert(arguments[0]).second) return;
    const std::string name = fmt::format("_load_from_bytes@{}", graph_.offset(call));
    scan_content(scan_, inside(content_, graph_.payload(arguments[0]), name));
  }

  void note_code_text(NodeId call, NodeId callable) {
    const std::string_view module = graph_.module(callable);
    const std::string_view name = graph_.name(callable);
    // What is dangerous anyway is reported for its name.
    if (is_benign(module, name) || !pickle::danger_of(module, name).empty()) return;
    const auto arguments = arguments_of(graph_, call);
    if (std::ranges::none_of(arguments, [&](NodeId argument) { return holds_code(argument); })) return;
    add(Verdict::Dangerous, "CodeAsArgument",
        fmt::format("gives Python code to {}, which is not known", full_name(graph_, callable)), call);
  }

  [[nodiscard]] bool holds_code(NodeId node) const {
    const Kind kind = graph_.kind(node);
    if (kind != Kind::Text && kind != Kind::Py2String && kind != Kind::Bytes) return false;
    const std::string_view text = graph_.text(node).substr(0, kMostText);
    return std::ranges::any_of(kCodeWords,
                               [&](std::string_view word) { return text.find(word) != text.npos; });
  }

  Scan& scan_;
  const Content& content_;
  const Graph& graph_;
  std::set<NodeId> nested_;
};

/// torch of 2016 to 2018 writes the source of each module's class into the file, to warn when it changed.
bool is_source(const Graph& graph, NodeId id) {
  if (graph.kind(id) != Kind::Tuple || graph.items(id).size() < 4) return false;
  const auto items = graph.items(id);
  return pickle::is_text(graph, items[0]) && graph.text(items[0]) == "module" &&
         pickle::is_text(graph, items[3]);
}

}  // namespace

void note_calls(Scan& scan, const Content& content, const Graph& graph) {
  CallNotes notes(scan, content, graph);
  std::uint64_t sources = 0;
  NodeId first = kNoNode;
  for (NodeId node = 0; node < graph.size(); ++node) {
    if (is_call(graph, node)) notes.note(node);
    if (graph.kind(node) != Kind::Persistent || !is_source(graph, graph.persistent_id(node))) continue;
    if (sources++ == 0) first = node;
  }
  if (sources == 0) return;
  scan.evidence.add(
      {.verdict = Verdict::Clean,
       .code = "EmbeddedSource",
       .message = fmt::format("carries the source code of {} classes, which no loader runs", sources),
       .place = content.place,
       .offset = graph.offset(first)});
}

}  // namespace weighbridge::scanning
