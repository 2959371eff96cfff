#include "formats/torch/sidecar.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/json_scalars.hpp"
#include "formats/torch/names.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/parts.hpp"
#include "formats/torch/rebuild.hpp"
#include "formats/torch/summary.hpp"

namespace weighbridge::torch {
namespace {

/// Where a container was met first.
struct Place {
  NodeId parent = kNoNode;
  Part part;
};

/// What is still to be written, last first: a value, or text in front of or behind one.
struct Task {
  std::string text;
  NodeId value = kNoNode;
  Place place;
};

using Parts = std::vector<Part>;

class Writer {
 public:
  Writer(const Document& document, const TensorNames& names, const Limits& limits)
      : document_(document), graph_(document.graph), names_(names), limits_(limits) {}

  std::string run() {
    out_ = "{\"version\":1,\"tree\":";
    push_text("}\n");
    push_value(document_.root, {});
    while (!tasks_.empty()) {
      const Task task = std::move(tasks_.back());
      tasks_.pop_back();
      out_ += task.text;
      if (task.value != kNoNode) write(task.value, task.place);
      check_size();
    }
    return std::move(out_);
  }

 private:
  void check_size() const {
    if (out_.size() <= limits_.sidecar_bytes) return;
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("the sidecar would exceed its limit of {} bytes", limits_.sidecar_bytes));
  }

  void push_text(std::string text) {
    tasks_.push_back({.text = std::move(text), .value = kNoNode, .place = {}});
  }
  void push_value(NodeId node, Place place) { tasks_.push_back({.text = {}, .value = node, .place = place}); }

  void write(NodeId node, const Place& place) {
    if (append_json_scalar(out_, graph_, node, limits_)) return;
    if (kind_of(graph_, node) == Kind::Global || kind_of(graph_, node) == Kind::Persistent) {
      if (!is_tensor(document_, node)) return write_global(node);
    }
    const auto known = places_.find(node);
    if (known != places_.end()) return write_reference(known->second);
    const Parts parts = parts_of(document_, node);
    if (!parts.empty()) places_.emplace(node, place);
    if (is_tensor(document_, node)) return write_tensor(node, parts);
    if (is_instance(graph_, node)) return write_instance(node, parts);
    write_container(node, parts);
  }

  void write_global(NodeId node) {
    const bool dtype = constructor_of(graph_, node) == Constructor::TorchDType;
    out_ += dtype ? "{\"$dtype\":" : "{\"$global\":";
    append_string(dtype ? std::string(graph_.name(node)) : class_name(graph_, node));
    out_ += '}';
  }

  void write_reference(const Place& place) {
    out_ += "{\"$ref\":";
    append_string(path_of(place));
    out_ += '}';
  }

  void write_tensor(NodeId node, const Parts& parts) {
    const auto name = names_.find(node);
    out_ += "{\"$tensor\":";
    if (name != names_.end()) {
      append_string(name->second);
    } else {
      out_ += "null,\"$summary\":";
      append_string(summarize(document_, node));
    }
    write_members(node, parts);
  }

  void write_instance(NodeId node, const Parts& parts) {
    switch (callable_of(graph_, node)) {
      case Constructor::TorchSize:
        return write_arguments("$size", node, parts);
      case Constructor::TorchDevice:
        return write_arguments("$device", node, parts);
      case Constructor::Complex:
        return write_arguments("$complex", node, parts);
      default:
        break;
    }
    out_ += "{\"$class\":";
    append_string(class_name(graph_, graph_.callable(node)));
    write_members(node, parts);
  }

  void write_arguments(std::string_view tag, NodeId node, const Parts& parts) {
    out_ += fmt::format("{{\"{}\":", tag);
    push_text("}");
    push_list(node, select(parts, Role::Argument));
  }

  void write_container(NodeId node, const Parts& parts) {
    const Kind kind = kind_of(graph_, node);
    const NodeId origin = graph_.origin(node);
    const bool bare = origin == kNoNode && graph_.state(node) == kNoNode;
    const Parts entries = select(parts, Role::Entry);
    if (bare && kind == Kind::List) return push_list(node, select(parts, Role::Item));
    if (bare && kind == Kind::Dict && are_plain(entries)) return push_object(node, entries);
    out_ += '{';
    if (origin != kNoNode) {
      out_ += "\"$class\":";
      append_string(class_name(graph_, origin));
      out_ += ',';
    }
    out_ += fmt::format("\"{}\":", tag_of(kind));
    push_text("}");
    push_state(node, parts);
    if (kind == Kind::Dict) return push_dict(node, entries);
    push_list(node, select(parts, Role::Item));
  }

  static std::string_view tag_of(Kind kind) {
    switch (kind) {
      case Kind::Dict:
        return "$dict";
      case Kind::Tuple:
        return "$tuple";
      case Kind::Set:
        return "$set";
      case Kind::FrozenSet:
        return "$frozenset";
      default:
        return "$list";
    }
  }

  /// The rest of an object that is already open: one member for each role that has parts.
  void write_members(NodeId node, const Parts& parts) {
    push_text("}");
    push_state(node, parts);
    push_member(",\"$dict\":", node, select(parts, Role::Entry), true);
    push_member(",\"$items\":", node, select(parts, Role::Item), false);
    push_member(",\"$kwargs\":", node, select(parts, Role::Keyword), true);
    push_member(",\"$args\":", node, select(parts, Role::Argument), false);
  }

  void push_state(NodeId node, const Parts& parts) {
    push_member(",\"$state\":", node, select(parts, Role::Attribute), true);
    push_member(",\"$state\":", node, select(parts, Role::State), false);
  }

  void push_member(std::string label, NodeId node, const Parts& parts, bool keyed) {
    if (parts.empty()) return;
    keyed ? push_dict(node, parts) : push_list(node, parts);
    push_text(std::move(label));
  }

  void push_dict(NodeId node, const Parts& parts) {
    are_plain(parts) ? push_object(node, parts) : push_pairs(node, parts);
  }

  void push_list(NodeId node, const Parts& parts) {
    push_text("]");
    for (std::size_t i = parts.size(); i-- > 0;) {
      push_value(parts[i].value, {node, parts[i]});
      if (i > 0) push_text(",");
    }
    push_text("[");
  }

  void push_object(NodeId node, const Parts& parts) {
    push_text("}");
    for (std::size_t i = parts.size(); i-- > 0;) {
      push_value(parts[i].value, {node, parts[i]});
      std::string label = i > 0 ? "," : "";
      append_json_string(label, find_text(graph_, parts[i].key).value_or(""));
      push_text(std::move(label) + ":");
    }
    push_text("{");
  }

  void push_pairs(NodeId node, const Parts& parts) {
    push_text("]");
    for (std::size_t i = parts.size(); i-- > 0;) {
      push_text("]");
      push_value(parts[i].value, {node, parts[i]});
      push_text(",");
      push_value(parts[i].key, {node, parts[i]});
      push_text(i > 0 ? ",[" : "[");
    }
    push_text("[");
  }

  bool are_plain(const Parts& parts) const {
    return std::ranges::all_of(parts, [this](const Part& part) { return is_plain_key(graph_, part.key); });
  }

  static Parts select(const Parts& parts, Role role) {
    Parts chosen;
    std::ranges::copy_if(parts, std::back_inserter(chosen),
                         [role](const Part& part) { return part.role == role; });
    return chosen;
  }

  std::string path_of(Place place) const {
    std::vector<std::string> segments;
    while (place.parent != kNoNode) {
      bool escaped = false;
      segments.push_back(find_segment(graph_, place.part, escaped).value_or("?"));
      place = places_.at(place.parent);
    }
    std::string path;
    for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
      if (!path.empty()) path += '.';
      path += *segment;
    }
    return path.empty() ? "." : path;
  }

  void append_string(std::string_view text) {
    bool escaped = false;
    append_json_string(out_, valid_utf8(text, escaped));
  }

  const Document& document_;
  const Graph& graph_;
  const TensorNames& names_;
  const Limits& limits_;
  std::map<NodeId, Place> places_;
  std::vector<Task> tasks_;
  std::string out_;
};

}  // namespace

std::string serialize_sidecar(const Document& document, const TensorNames& names, const Limits& limits) {
  return Writer(document, names, limits).run();
}

}  // namespace weighbridge::torch
