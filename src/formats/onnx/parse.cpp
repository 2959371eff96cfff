// The walk over a model. Every message that can hold a tensor is a frame on a stack of our own.
#include <algorithm>
#include <map>
#include <set>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/onnx/facts.hpp"
#include "formats/onnx/model.hpp"
#include "formats/onnx/node.hpp"
#include "formats/onnx/once.hpp"

namespace weighbridge::onnx {
namespace {

/// As deep as the parsers of protobuf go.
constexpr std::size_t kMostDepth = 100;
constexpr std::uint32_t kNoFunction = UINT32_MAX;

enum class Kind : std::uint8_t { Model, Graph, Node, Attribute, Function, Training };

struct Frame {
  Kind kind = Kind::Model;
  FieldReader reader;
  std::uint32_t enclosure = 0;
  std::uint32_t scope = 0;
  std::uint32_t function = kNoFunction;  ///< The one whose body this is part of.
  std::uint64_t nodes = 0;               ///< Of a graph or function: how many there were.
  std::uint64_t members = 0;             ///< Of an attribute: how many of its lists there were.
  NodeText node = {};                    ///< Of a node and its attributes.
  AttributeText attribute = {};
  Once once = {};
};

class ModelParser {
 public:
  ModelParser(Window& window, const Limits& limits) : window_(window), limits_(limits) {}

  Model run() {
    model_.scopes.push_back({});
    const Extent whole{.begin = 0, .end = window_.size()};
    model_.enclosures.push_back({.field = whole});
    stack_.push_back({.kind = Kind::Model, .reader = FieldReader(window_, whole)});
    while (!stack_.empty()) step();
    if (!has_graph_) refuse_wire("a model without a graph", 0);
    resolve_calls();
    name_tensors(model_, std::move(labels_), limits_);
    return std::move(model_);
  }

 private:
  void step() {
    const auto field = stack_.back().reader.next();
    if (!field) return stack_.pop_back();
    switch (stack_.back().kind) {
      case Kind::Model:
        return take_of_model(*field);
      case Kind::Graph:
        return take_of_graph(*field);
      case Kind::Node:
        return take_of_node(*field);
      case Kind::Attribute:
        return take_of_attribute(*field);
      case Kind::Function:
        return take_of_function(*field);
      case Kind::Training:
        return take_of_training(*field);
    }
  }

  void take_of_model(const Field& field) {
    Frame& frame = stack_.back();
    if (field.number == 7) {
      frame.once.check(field, "the graph");
      has_graph_ = true;
      note_graph(window_, field, limits_, model_.facts);
      return push(Kind::Graph, field, frame.scope);
    }
    if (field.number == 20) {
      return push(Kind::Training, field, add_scope(fmt::format("training_{}", frame.members++), false));
    }
    if (field.number == 25) return enter_function(field);
    if (field.number < 20 && field.number != 8 && field.number != 14)
      frame.once.check(field, "a field of the model");
    note_model_field(window_, field, limits_, model_.facts);
  }

  void take_of_graph(const Field& field) {
    Frame& frame = stack_.back();
    if (field.number == 1) return enter_node(field);
    if (field.number == 5) {
      require_wire(field, Wire::Bytes, "an initializer");
      add(field, parse_tensor(window_, field.content, limits_), Role::Initializer, "");
    } else if (field.number == 15) {
      add_sparse(field, Role::Initializer, "");
    } else if (field.number == 2 || field.number == 10) {
      frame.once.check(field, "a text of a graph");
    }
  }

  void enter_node(const Field& field) {
    Frame& frame = stack_.back();
    require_wire(field, Wire::Bytes, "a node");
    NodeText node = read_node(window_, field.content, limits_, frame.nodes++);
    ++model_.facts.operators[{node.domain, node.type}];
    if (frame.function != kNoFunction) {
      calls_.insert({frame.function, {.domain = node.domain, .name = node.type, .overload = node.overload}});
    }
    if (!node.has_attributes) return;
    push(Kind::Node, field, frame.scope);
    stack_.back().node = std::move(node);
  }

  void take_of_node(const Field& field) {
    if (field.number == 5) enter_attribute(field, stack_.back().node);
  }

  void enter_attribute(const Field& field, const NodeText& of) {
    require_wire(field, Wire::Bytes, "an attribute");
    AttributeText attribute = read_attribute(window_, field.content, limits_);
    if (of.type == "EPContext" && attribute.name == "ep_cache_context") note_context(field.content);
    if (!attribute.holds_tensors && !is_constant_list(of, attribute)) return;
    NodeText node = of;  // `of` is in a frame, and frames move
    push(Kind::Attribute, field, stack_.back().scope);
    if (is_constant_list(node, attribute)) add_list(field, node, attribute);
    stack_.back().node = std::move(node);
    stack_.back().attribute = std::move(attribute);
  }

  void take_of_attribute(const Field& field) {
    Frame& frame = stack_.back();
    switch (field.number) {
      case 5:
        frame.once.check(field, "the tensor of an attribute");
        return add(field, parse_tensor(window_, field.content, limits_), role_of(frame),
                   label_of(frame, false));
      case 10:
        return add(field, parse_tensor(window_, field.content, limits_), role_of(frame),
                   label_of(frame, true));
      case 22:
        frame.once.check(field, "the sparse tensor of an attribute");
        return add_sparse(field, role_of(frame), label_of(frame, false));
      case 23:
        return add_sparse(field, role_of(frame), label_of(frame, true));
      case 6:
        frame.once.check(field, "the graph of an attribute");
        return enter_subgraph(field, label_of(frame, false));
      case 11:
        return enter_subgraph(field, label_of(frame, true));
      default:
        return;
    }
  }

  void enter_subgraph(const Field& field, const std::string& label) {
    const Scope& outer = model_.scopes[stack_.back().scope];
    push(Kind::Graph, field, add_scope(join_path(outer.path, label), outer.graph));
  }

  void enter_function(const Field& field) {
    require_wire(field, Wire::Bytes, "a function");
    const FunctionId id = read_function(window_, field.content, limits_);
    const auto number = static_cast<std::uint32_t>(model_.facts.functions.size());
    model_.facts.functions.push_back(id);
    push(Kind::Function, field, add_scope(function_text(id), false));
    stack_.back().function = number;
  }

  void take_of_function(const Field& field) {
    if (field.number == 7) return enter_node(field);
    if (field.number == 11) enter_attribute(field, NodeText{.label = "attribute"});
  }

  void take_of_training(const Field& field) {
    Frame& frame = stack_.back();
    if (field.number != 1 && field.number != 2) return;
    frame.once.check(field, "a graph of training");
    const Scope& outer = model_.scopes[frame.scope];
    push(Kind::Graph, field,
         add_scope(join_path(outer.path, field.number == 1 ? "initialization" : "algorithm"), false));
  }

  void push(Kind kind, const Field& field, std::uint32_t scope) {
    require_wire(field, Wire::Bytes, "a message");
    if (stack_.size() == kMostDepth) {
      throw Error(
          ErrorCode::LimitExceeded,
          fmt::format("ONNX file: messages stand more than {} deep (byte {})", kMostDepth, field.begin), {},
          field.begin);
    }
    const auto enclosure = static_cast<std::uint32_t>(model_.enclosures.size());
    model_.enclosures.push_back({.field = {.begin = field.begin, .end = field.content.end},
                                 .content = field.content.begin,
                                 .number = field.number,
                                 .parent = stack_.back().enclosure});
    stack_.push_back({.kind = kind,
                      .reader = FieldReader(window_, field.content),
                      .enclosure = enclosure,
                      .scope = scope,
                      .function = stack_.back().function});
  }

  std::uint32_t add_scope(std::string path, bool graph) {
    charge(path.size());
    model_.scopes.push_back({.path = std::move(path), .graph = graph});
    return static_cast<std::uint32_t>(model_.scopes.size() - 1);
  }

  /// A path is repeated for all that stands below it: together they must not exceed what a header could hold.
  void charge(std::uint64_t bytes) {
    text_bytes_ += bytes;
    if (text_bytes_ <= limits_.header_bytes) return;
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("ONNX file: the names of tensors have more than {} bytes", limits_.header_bytes));
  }

  static Role role_of(const Frame& frame) {
    return frame.node.is_constant() ? Role::Constant : Role::Attribute;
  }

  /// What a tensor of an attribute is called within its scope.
  static std::string label_of(Frame& frame, bool one_of_several) {
    if (frame.node.is_constant() && !frame.node.output.empty() && !one_of_several) return frame.node.output;
    std::string label = join_path(frame.node.label, frame.attribute.name);
    if (one_of_several) label += fmt::format("/{}", frame.members++);
    return label;
  }

  void add(const Field& field, TensorProto proto, Role role, std::string label) {
    require_wire(field, Wire::Bytes, "a tensor");
    add({.proto = std::move(proto), .role = role, .field = {.begin = field.begin, .end = field.content.end}},
        std::move(label));
  }

  void add(Tensor tensor, std::string label) {
    if (model_.tensors.size() == limits_.tensors) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("the file has more than {} tensors", limits_.tensors));
    }
    tensor.scope = stack_.back().scope;
    tensor.enclosure = stack_.back().enclosure;
    if (tensor.role == Role::Initializer) label = tensor.proto.name;
    charge(model_.scopes[tensor.scope].path.size() + label.size() + 1);
    if (tensor.proto.name.empty()) tensor.proto.name = label;
    labels_.push_back(std::move(label));
    model_.tensors.push_back(std::move(tensor));
  }

  void add_sparse(const Field& field, Role role, std::string label) {
    require_wire(field, Wire::Bytes, "a sparse tensor");
    Tensor tensor = parse_sparse(window_, field.content, limits_);
    tensor.role = role;
    tensor.field = {.begin = field.begin, .end = field.content.end};
    add(std::move(tensor), std::move(label));
  }

  /// value_float, value_floats, value_int and value_ints of a Constant node.
  void add_list(const Field& field, const NodeText& node, const AttributeText& attribute) {
    Tensor tensor{.proto = list_as_tensor(window_, field.content, attribute), .role = Role::Constant};
    tensor.field = {.begin = field.begin, .end = field.content.end};
    add(std::move(tensor), node.output.empty() ? join_path(node.label, attribute.name) : node.output);
  }

  void note_context(Extent attribute) {
    FieldReader reader(window_, attribute);
    while (const auto field = reader.next()) {
      if (field->number == 4 && field->wire == Wire::Bytes && field->value <= limits_.name_bytes) {
        model_.facts.context_files.push_back(
            read_text(window_, *field, "ep_cache_context", limits_.name_bytes));
      }
    }
  }

  void resolve_calls() {
    std::map<FunctionId, std::uint32_t> known;
    for (const FunctionId& id : model_.facts.functions) {
      const auto number = static_cast<std::uint32_t>(known.size());
      if (known.emplace(id, number).second) continue;
      throw Error(
          ErrorCode::MalformedCheckpoint,
          fmt::format("ONNX file: the function '{}' stands there twice", printable(function_text(id))));
    }
    std::vector<std::pair<std::uint32_t, std::uint32_t>> calls;
    for (const auto& [caller, id] : calls_) {
      const auto callee = known.find(id);
      if (callee != known.end()) calls.emplace_back(caller, callee->second);
    }
    refuse_recursion(model_.facts.functions, calls);
  }

  Window& window_;
  const Limits& limits_;
  Model model_;
  std::vector<Frame> stack_;
  std::vector<std::string> labels_;  ///< Of each tensor, within its scope.
  std::set<std::pair<std::uint32_t, FunctionId>> calls_;
  std::uint64_t text_bytes_ = 0;
  bool has_graph_ = false;
};

}  // namespace

Model parse_model(Window& window, const Limits& limits) { return ModelParser(window, limits).run(); }

}  // namespace weighbridge::onnx
