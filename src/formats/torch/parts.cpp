#include "formats/torch/parts.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "formats/torch/arrays.hpp"
#include "formats/torch/names.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/paddle.hpp"
#include "formats/torch/rebuild.hpp"
#include "formats/torch/recipe.hpp"

namespace weighbridge::torch {
namespace {

/// Orders keys so that equal ones are neighbours; text before numbers before everything else,
/// which is equal to itself only.
struct KeyOrder {
  int group = 2;
  std::string_view text;
  std::int64_t number = 0;
  friend auto operator<=>(const KeyOrder&, const KeyOrder&) = default;
};

KeyOrder order_of(const Graph& graph, NodeId key) {
  const Kind kind = kind_of(graph, key);
  if (const auto text = find_text(graph, key)) {
    return {.group = kind == Kind::Text ? 0 : 1, .text = *text, .number = 0};
  }
  if (kind == Kind::Int) return {.group = 2, .text = {}, .number = graph.integer(key)};
  return {.group = 3, .text = {}, .number = static_cast<std::int64_t>(key)};
}

/// torch.ScriptObject: in whole modules, the packed weights of quantised ones.
bool is_script_object(const Graph& graph, NodeId node) {
  if (!is_instance(graph, node)) return false;
  const NodeId callable = graph.callable(node);
  return kind_of(graph, callable) == Kind::Global && graph.module(callable) == "torch" &&
         graph.name(callable) == "ScriptObject";
}

/// What its class saved of it; the name of the class, which stands beside that, is no part.
NodeId script_object_state(const Graph& graph, NodeId node) {
  const auto state = find_sequence(graph, graph.state(node));
  return state && state->size() == 2 ? state->front() : graph.state(node);
}

class Builder {
 public:
  explicit Builder(const Graph& graph) : graph_(graph) {}

  void add_items(Role role, std::span<const NodeId> items) {
    for (std::size_t i = 0; i < items.size(); ++i) add({.role = role, .index = i, .value = items[i]});
  }

  /// `pairs` is key, value, key, value, ...
  void add_pairs(Role role, std::span<const NodeId> pairs) {
    const std::size_t first = parts_.size();
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
      add({.role = role, .key = pairs[i], .index = i / 2, .value = pairs[i + 1]});
    }
    drop_repeated_keys(first);
  }

  void add_dict(Role role, NodeId dict) {
    if (kind_of(graph_, dict) == Kind::Dict) add_pairs(role, graph_.items(dict));
  }

  void add_state(NodeId state) {
    if (state == kNoNode) return;
    if (kind_of(graph_, state) == Kind::Dict) return add_pairs(Role::Attribute, graph_.items(state));
    if (const auto items = find_sequence(graph_, state)) return add_items(Role::State, *items);
    add({.role = Role::State, .value = state});
  }

  void add_instance(NodeId node) {
    add_items(Role::Argument, arguments_of(graph_, node));
    if (graph_.keywords(node) != kNoNode) add_dict(Role::Keyword, graph_.keywords(node));
    add_items(Role::Item, graph_.items(node));
    add_pairs(Role::Entry, graph_.dict_items(node));
    add_state(graph_.state(node));
  }

  void add_container(NodeId node) {
    switch (kind_of(graph_, node)) {
      case Kind::Dict:
        return add_pairs(Role::Entry, graph_.items(node));
      case Kind::List:
      case Kind::Tuple:
      case Kind::Set:
      case Kind::FrozenSet:
        return add_items(Role::Item, graph_.items(node));
      default:
        return;
    }
  }

  /// The values of one of a module's own dicts, without those in `excluded`.
  void add_state_dict(NodeId dict, std::vector<std::string_view> excluded) {
    if (kind_of(graph_, dict) != Kind::Dict) return;
    std::ranges::sort(excluded);
    const std::size_t first = parts_.size();
    add_pairs(Role::Entry, graph_.items(dict));
    const auto dropped = std::ranges::remove_if(parts_.begin() + static_cast<std::ptrdiff_t>(first),
                                                parts_.end(), [&](const Part& part) {
                                                  const auto text = find_text(graph_, part.key);
                                                  return text && std::ranges::binary_search(excluded, *text);
                                                });
    parts_.erase(dropped.begin(), dropped.end());
  }

  /// The attributes of a module that are objects of TorchScript.
  void add_script_objects(NodeId state) {
    const std::size_t first = parts_.size();
    if (kind_of(graph_, state) == Kind::Dict) add_pairs(Role::Attribute, graph_.items(state));
    const auto others =
        std::ranges::remove_if(parts_.begin() + static_cast<std::ptrdiff_t>(first), parts_.end(),
                               [&](const Part& part) { return !is_script_object(graph_, part.value); });
    parts_.erase(others.begin(), others.end());
  }

  std::vector<Part> take() && { return std::move(parts_); }

 private:
  void add(Part part) {
    part.value = strip_tags(graph_, part.value);
    parts_.push_back(part);
  }

  /// By sorting, so that no choice of keys makes it slow.
  void drop_repeated_keys(std::size_t first) {
    const std::size_t count = parts_.size() - first;
    std::vector<KeyOrder> orders(count);
    for (std::size_t i = 0; i < count; ++i) orders[i] = order_of(graph_, parts_[first + i].key);
    std::vector<std::size_t> sorted(count);
    std::iota(sorted.begin(), sorted.end(), std::size_t{0});
    std::ranges::sort(sorted, {}, [&](std::size_t i) { return std::pair(orders[i], i); });
    bool any = false;
    for (std::size_t i = 0, head = 0; i < count; ++i) {
      if (orders[sorted[i]] != orders[sorted[head]]) head = i;
      if (i == head) continue;
      parts_[first + sorted[head]].value = parts_[first + sorted[i]].value;
      parts_[first + sorted[i]].value = kNoNode;
      any = true;
    }
    if (any) std::erase_if(parts_, [](const Part& part) { return part.value == kNoNode; });
  }

  const Graph& graph_;
  std::vector<Part> parts_;
};

std::vector<std::string_view> texts_in(const Graph& graph, NodeId collection) {
  std::vector<std::string_view> texts;
  const Kind kind = kind_of(graph, collection);
  if (kind != Kind::Set && kind != Kind::FrozenSet && kind != Kind::List && kind != Kind::Tuple) return texts;
  for (const NodeId item : graph.items(collection)) {
    if (const auto text = find_text(graph, item)) texts.push_back(*text);
  }
  return texts;
}

/// A traced graph is a function call with the attributes of a module as its first argument.
bool is_traced_graph(const Graph& graph, NodeId node) {
  const NodeId callable = graph.callable(node);
  return kind_of(graph, callable) == Kind::Global && graph.module(callable) == "torch.fx.graph_module" &&
         (graph.name(callable) == "reduce_graph_module" ||
          graph.name(callable) == "reduce_package_graph_module") &&
         !arguments_of(graph, node).empty();
}

/// The attributes of an instance. StyleGAN's persistence saves a module as a call with
/// {'state': ..., 'module_src': ...}.
NodeId module_state(const Graph& graph, NodeId node) {
  if (is_traced_graph(graph, node)) return arguments_of(graph, node)[0];
  const NodeId callable = graph.callable(node);
  const auto arguments = arguments_of(graph, node);
  const bool persistent = kind_of(graph, callable) == Kind::Global && arguments.size() == 1 &&
                          graph.name(callable) == "_reconstruct_persistent_obj";
  return persistent ? find_entry(graph, arguments[0], "state") : graph.state(node);
}

/// In the order of state_dict(): parameters, persistent buffers, modules. Modules of packed weights add
/// these by a state_dict() of their own, under the same names.
std::vector<Part> module_parts(const Document& document, NodeId node) {
  const Graph& graph = document.graph;
  const NodeId state = module_state(graph, node);
  Builder builder(document.graph);
  builder.add_state_dict(find_entry(graph, state, "_parameters"), {});
  builder.add_state_dict(find_entry(graph, state, "_buffers"),
                         texts_in(graph, find_entry(graph, state, "_non_persistent_buffers_set")));
  builder.add_state_dict(find_entry(graph, state, "_modules"), {});
  builder.add_script_objects(state);
  return std::move(builder).take();
}

}  // namespace

bool is_module(const pickle::Graph& graph, pickle::NodeId node) {
  if (!is_instance(graph, node)) return false;
  const NodeId state = module_state(graph, node);
  return kind_of(graph, find_entry(graph, state, "_parameters")) == Kind::Dict &&
         kind_of(graph, find_entry(graph, state, "_modules")) == Kind::Dict;
}

std::vector<Part> parts_of(const Document& document, pickle::NodeId node) {
  if (node == kNoNode || document.find_storage(node) != nullptr) return {};
  if (const numpy::Array* array = find_array(document, node)) return array_parts(document, *array);
  Builder builder(document.graph);
  if (is_tensor(document, node)) {
    builder.add_state(tensor_attributes(document, node));
  } else if (is_instance(document.graph, node)) {
    builder.add_instance(node);
  } else {
    builder.add_container(node);
    builder.add_state(document.graph.state(node));
  }
  return std::move(builder).take();
}

std::vector<Part> tensor_parts(const Document& document, pickle::NodeId node) {
  if (node == kNoNode || is_tensor(document, node)) return {};
  if (const numpy::Array* array = find_array(document, node)) return array_parts(document, *array);
  if (is_module(document.graph, node)) return module_parts(document, node);
  Builder builder(document.graph);
  if (is_script_object(document.graph, node)) {
    builder.add_state(script_object_state(document.graph, node));
  } else if (is_instance(document.graph, node)) {
    builder.add_instance(node);
  } else {
    builder.add_container(node);
  }
  auto parts = std::move(builder).take();
  for (Part& part : parts) part.value = strip_parameter_name(document, part.value);
  const bool sliced = node == document.root && document.joined.table != kNoNode;
  return sliced ? replace_slices(document, std::move(parts)) : parts;
}

std::optional<std::string> find_segment(const pickle::Graph& graph, const Part& part, bool& escaped) {
  switch (part.role) {
    case Role::Item:
    case Role::State:
      return fmt::to_string(part.index);
    case Role::Argument:
      return fmt::format("$args.{}", part.index);
    case Role::Entry:
    case Role::Attribute:
    case Role::Keyword:
      return find_key_text(graph, part.key, escaped);
  }
  return std::nullopt;
}

}  // namespace weighbridge::torch
