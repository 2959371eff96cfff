#include "formats/torch/sidecar.hpp"

#include <algorithm>
#include <set>

#include <weighbridge/error.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "formats/torch/array_json.hpp"
#include "formats/torch/arrays.hpp"
#include "formats/torch/describe.hpp"
#include "formats/torch/json_scalars.hpp"
#include "formats/torch/names.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/parts.hpp"
#include "formats/torch/rebuild.hpp"
#include "formats/torch/summary.hpp"
#include "formats/torch/traits.hpp"

namespace weighbridge::torch {
namespace {

/// What is still to be written, last first: a value, or text in front of or behind one.
struct Task {
  std::string text;
  NodeId value = kNoNode;
};

using Parts = std::vector<Part>;

/// Values that have an identity: what Python shares between two places.
bool has_identity(const Document& document, NodeId node, const Parts& parts) {
  if (is_tensor(document, node)) return !parts.empty();
  if (!parts.empty() || is_instance(document.graph, node)) return true;
  const Kind kind = kind_of(document.graph, node);
  return kind == Kind::List || kind == Kind::Dict || kind == Kind::Set;
}

/// Finds the values that are reached in more than one way.
std::vector<bool> find_shared(const Document& document) {
  std::vector<bool> seen(document.graph.size(), false);
  std::vector<bool> shared(document.graph.size(), false);
  std::vector<NodeId> open = {document.root};
  while (!open.empty()) {
    const NodeId node = open.back();
    open.pop_back();
    if (node == kNoNode) continue;
    if (seen[node]) {
      shared[node] = true;
      continue;
    }
    seen[node] = true;
    open.push_back(document.graph.setting(node));
    for (const Part& part : parts_of(document, node)) {
      open.push_back(part.value);
      open.push_back(part.key);
    }
  }
  return shared;
}

class Writer {
 public:
  Writer(const Document& document, const TensorPlaces& places, const OpenOptions& options,
         const Limits& limits)
      : document_(document),
        graph_(document.graph),
        places_(places),
        options_(options),
        limits_(limits),
        shared_(find_shared(document)) {}

  std::string run() {
    out_ = "{\"version\":1,\"tree\":";
    push_text("}\n");
    push_value(document_.root);
    while (!tasks_.empty()) {
      const Task task = std::move(tasks_.back());
      tasks_.pop_back();
      out_ += task.text;
      if (task.value != kNoNode) write(task.value);
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

  void push_text(std::string text) { tasks_.push_back({.text = std::move(text), .value = kNoNode}); }
  void push_value(NodeId node) { tasks_.push_back({.text = {}, .value = node}); }

  void write(NodeId node) {
    if (append_json_scalar(out_, graph_, node, limits_)) return;
    if (kind_of(graph_, node) == Kind::Global || kind_of(graph_, node) == Kind::Persistent) {
      if (!is_tensor(document_, node)) return write_global(node);
    }
    const auto known = numbers_.find(node);
    if (known != numbers_.end()) return write_reference(known->second);
    const Parts parts = parts_of(document_, node);
    if (shared_[node] && has_identity(document_, node, parts)) numbers_.emplace(node, numbers_.size() + 1);
    if (is_tensor(document_, node)) return write_tensor(node, parts);
    if (const numpy::Array* array = find_array(document_, node)) return write_array(node, *array, parts);
    if (is_instance(graph_, node)) return write_instance(node, parts);
    write_container(node, parts);
  }

  /// The start of a tagged object, with its number if something refers to it.
  void open_object(NodeId node) {
    out_ += '{';
    const auto number = numbers_.find(node);
    if (number != numbers_.end()) out_ += fmt::format("\"$id\":{},", number->second);
  }

  void write_reference(std::uint64_t number) { out_ += fmt::format("{{\"$ref\":{}}}", number); }

  void append_member(std::string_view label, std::string_view text) {
    out_ += fmt::format(",\"{}\":", label);
    append_string(text);
  }

  void write_global(NodeId node) {
    const bool dtype = constructor_of(graph_, node) == Constructor::TorchDType;
    out_ += dtype ? "{\"$dtype\":" : "{\"$global\":";
    append_string(dtype ? std::string(graph_.name(node)) : class_name(graph_, node));
    if (options_.keep_sources) append_source(node);
    out_ += '}';
  }

  /// ('module', class, file, text), as a legacy stream refers to a class. One text is written once.
  void append_source(NodeId node) {
    if (kind_of(graph_, node) != Kind::Persistent) return;
    const auto id = find_sequence(graph_, graph_.persistent_id(node));
    if (!id || id->size() < 4) return;
    const Kind kind = kind_of(graph_, (*id)[3]);
    if (kind != Kind::Text && kind != Kind::Py2String) return;
    if (!sources_.insert((*id)[3]).second) return;
    out_ += ",\"$source\":";
    append_json_scalar(out_, graph_, (*id)[3], limits_);
  }

  void write_tensor(NodeId node, const Parts& parts) {
    open_object(node);
    const auto place = places_.find(node);
    out_ += "\"$tensor\":";
    if (place == places_.end()) {
      out_ += "null";
      append_member("$summary", summarize(document_, node));
    } else {
      append_string(place->second.name);
      if (place->second.optimizer) append_member("$file", "optimizer");
    }
    const JsonMembers special = describe_tensor(document_, node, options_);
    if (place != places_.end()) append_traits(node, special);
    for (const auto& [key, value] : special) out_ += fmt::format(",\"{}\":{}", key, value);
    const numpy::Array* array = find_array(document_, node);
    if (array != nullptr && place != places_.end()) append_array_members(out_, *array, limits_);
    write_members(parts);
  }

  /// What is special about a tensor says more than the traits of a plain one.
  void append_traits(NodeId node, const JsonMembers& special) {
    const TensorTraits traits = traits_of(document_, node, limits_);
    const auto says = [&](std::string_view key) {
      return std::ranges::find(special, key, &JsonMembers::value_type::first) != special.end();
    };
    if (!traits.storage.empty()) append_member("$storage", traits.storage);
    if (!traits.class_name.empty() && !says("$class")) append_member("$class", traits.class_name);
    if (traits.requires_grad) out_ += ",\"$requires_grad\":true";
    if (!traits.dtype.empty() && !says("$dtype")) append_member("$dtype", traits.dtype);
    if (!traits.strides.empty()) out_ += fmt::format(",\"$strides\":[{}]", fmt::join(traits.strides, ","));
  }

  /// The elements of an array of objects follow in row-major order.
  void write_array(NodeId node, const numpy::Array& array, const Parts& parts) {
    open_object(node);
    append_array(out_, array, limits_);
    push_text("}");
    push_member(",\"$items\":", parts, false);
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
    open_object(node);
    out_ += "\"$class\":";
    append_string(class_name(graph_, graph_.callable(node)));
    if (options_.keep_sources) append_source(graph_.callable(node));
    write_members(parts);
  }

  void write_arguments(std::string_view tag, NodeId node, const Parts& parts) {
    open_object(node);
    out_ += fmt::format("\"{}\":", tag);
    push_text("}");
    push_list(select(parts, Role::Argument));
  }

  void write_container(NodeId node, const Parts& parts) {
    const Kind kind = kind_of(graph_, node);
    const NodeId origin = telling_origin(node);
    const bool bare = origin == kNoNode && graph_.state(node) == kNoNode && !numbers_.contains(node);
    const Parts entries = select(parts, Role::Entry);
    if (bare && kind == Kind::List) return push_list(select(parts, Role::Item));
    if (bare && kind == Kind::Dict && are_plain(entries)) return push_object(entries);
    open_object(node);
    if (origin != kNoNode) {
      out_ += "\"$class\":";
      append_string(class_name(graph_, origin));
      out_ += ',';
    }
    out_ += fmt::format("\"{}\":", tag_of(kind));
    push_text("}");
    push_state(parts);
    push_setting(node);
    if (kind == Kind::Dict) return push_dict(entries);
    push_list(select(parts, Role::Item));
  }

  void push_setting(NodeId node) {
    if (graph_.setting(node) == kNoNode) return;
    push_text("]");
    push_value(graph_.setting(node));
    push_text(",\"$args\":[");
  }

  /// The class that made a container, unless the tag says it already.
  NodeId telling_origin(NodeId node) const {
    const NodeId origin = graph_.origin(node);
    switch (constructor_of(graph_, origin)) {
      case Constructor::Dict:
      case Constructor::List:
      case Constructor::Tuple:
      case Constructor::Set:
      case Constructor::FrozenSet:
        return kNoNode;
      default:
        return origin;
    }
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
  void write_members(const Parts& parts) {
    push_text("}");
    push_state(parts);
    push_member(",\"$dict\":", select(parts, Role::Entry), true);
    push_member(",\"$items\":", select(parts, Role::Item), false);
    push_member(",\"$kwargs\":", select(parts, Role::Keyword), true);
    push_member(",\"$args\":", select(parts, Role::Argument), false);
  }

  void push_state(const Parts& parts) {
    push_member(",\"$state\":", select(parts, Role::Attribute), true);
    push_member(",\"$state\":", select(parts, Role::State), false);
  }

  void push_member(std::string label, const Parts& parts, bool keyed) {
    if (parts.empty()) return;
    keyed ? push_dict(parts) : push_list(parts);
    push_text(std::move(label));
  }

  void push_dict(const Parts& parts) { are_plain(parts) ? push_object(parts) : push_pairs(parts); }

  void push_list(const Parts& parts) {
    push_text("]");
    for (std::size_t i = parts.size(); i-- > 0;) {
      push_value(parts[i].value);
      if (i > 0) push_text(",");
    }
    push_text("[");
  }

  void push_object(const Parts& parts) {
    push_text("}");
    for (std::size_t i = parts.size(); i-- > 0;) {
      push_value(parts[i].value);
      std::string label = i > 0 ? "," : "";
      append_json_string(label, find_text(graph_, parts[i].key).value_or(""));
      push_text(std::move(label) + ":");
    }
    push_text("{");
  }

  void push_pairs(const Parts& parts) {
    push_text("]");
    for (std::size_t i = parts.size(); i-- > 0;) {
      push_text("]");
      push_value(parts[i].value);
      push_text(",");
      push_value(parts[i].key);
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

  void append_string(std::string_view text) {
    bool escaped = false;
    append_json_string(out_, valid_utf8(text, escaped));
  }

  const Document& document_;
  const Graph& graph_;
  const TensorPlaces& places_;
  const OpenOptions& options_;
  const Limits& limits_;
  std::vector<bool> shared_;
  std::map<NodeId, std::uint64_t> numbers_;  ///< Of the shared values that were written.
  std::set<NodeId> sources_;                 ///< Texts of classes that were written.
  std::vector<Task> tasks_;
  std::string out_;
};

}  // namespace

std::string serialize_sidecar(const Document& document, const TensorPlaces& places,
                              const OpenOptions& options, const Limits& limits) {
  return Writer(document, places, options, limits).run();
}

}  // namespace weighbridge::torch
