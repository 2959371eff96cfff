#include "formats/restore/tree.hpp"

#include <optional>
#include <vector>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/restore/admitted.hpp"
#include "formats/restore/values.hpp"

namespace weighbridge::restore {
namespace {

using json::Document;
using json::Kind;
using json::kNone;
using json::Node;

/// What is still to be done, last first.
enum class Step : std::uint8_t {
  Value,  ///< Append the value of the node.
  Key,    ///< Append the key of the node.
  Mark,
  Append,  ///< Into a list, what is behind the mark.
  Set,     ///< The same into a dict, keys and values.
  Tuple,
  Wrap,  ///< A tuple of the one value on top.
  Reduce,
  Build,
  Remember,  ///< The value on top, under the number in `$id` of the node.
};

struct Task {
  Step step;
  Node node = kNone;
};

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("the sidecar: {}", what));
}

class TreeWriter {
 public:
  TreeWriter(pickle::Writer& out, const Document& tree, Shelf& shelf)
      : out_(out), tree_(tree), shelf_(shelf) {}

  Refused run(Node root) {
    push(Step::Value, root);
    while (!tasks_.empty()) {
      const Task task = tasks_.back();
      tasks_.pop_back();
      carry_out(task);
    }
    return std::move(refused_);
  }

 private:
  void push(Step step, Node node = kNone) { tasks_.push_back({step, node}); }

  void carry_out(const Task& task) {
    switch (task.step) {
      case Step::Value:
        return write(task.node);
      case Step::Key:
        return out_.repeated_text(tree_.key(task.node));
      case Step::Mark:
        return out_.mark();
      case Step::Append:
        return out_.append_marked();
      case Step::Set:
        return out_.set_marked();
      case Step::Tuple:
        return out_.tuple();
      case Step::Wrap:
        return out_.tuple1();
      case Step::Reduce:
        return out_.reduce();
      case Step::Build:
        return out_.build();
      case Step::Remember:
        return remember(task.node);
    }
  }

  void write(Node node) {
    switch (tree_.kind(node)) {
      case Kind::Null:
        return out_.none();
      case Kind::Bool:
        return out_.boolean(tree_.boolean(node));
      case Kind::Integer:
        return out_.integer(tree_.integer(node));
      case Kind::Real:
        return out_.real(tree_.real(node));
      case Kind::String:
        return out_.text(tree_.string(node));
      case Kind::Array:
        return write_list(node, node);
      case Kind::Object:
        return is_tagged(node) ? write_tagged(node) : write_dict(node, node);
    }
  }

  bool is_tagged(Node object) const {
    for (Node at = tree_.first(object); at != kNone; at = tree_.next(at)) {
      if (tree_.key(at).starts_with('$')) return true;
    }
    return false;
  }

  /// The value of the first tag that decides what an object is.
  void write_tagged(Node object) {
    using Write = void (TreeWriter::*)(Node, Node);
    struct Row {
      std::string_view tag;
      Write write;
    };
    static constexpr Row kRows[] = {
        {"$tensor", &TreeWriter::write_tensor},   {"$ref", &TreeWriter::write_reference},
        {"$class", &TreeWriter::write_instance},  {"$dict", &TreeWriter::write_plain},
        {"$list", &TreeWriter::write_plain},      {"$tuple", &TreeWriter::write_plain},
        {"$set", &TreeWriter::write_plain},       {"$frozenset", &TreeWriter::write_plain},
        {"$complex", &TreeWriter::write_complex}, {"$size", &TreeWriter::write_size},
        {"$device", &TreeWriter::write_device},   {"$ndarray", &TreeWriter::drop_array},
        {"$scalar", &TreeWriter::drop_array},
    };
    for (const Row& row : kRows) {
      const Node value = tree_.find(object, row.tag);
      if (value != kNone) return (this->*row.write)(object, value);
    }
    for (Node at = tree_.first(object); at != kNone; at = tree_.next(at)) {
      if (is_single(tree_.key(at))) return write_value(object, at);
    }
    refuse(fmt::format("an object with the key '{}' and no tag that is known",
                       printable(tree_.key(tree_.first(object)))));
  }

  // Containers: `object` is what may carry `$id`, `content` has the items.

  std::vector<Node> children(Node node) const {
    std::vector<Node> nodes;
    for (Node at = tree_.first(node); at != kNone; at = tree_.next(at)) nodes.push_back(at);
    return nodes;
  }

  void require(Node node, Kind kind, std::string_view what) const {
    if (node == kNone || tree_.kind(node) != kind) refuse(fmt::format("{} is of another kind", what));
  }

  void push_items(Node array) {
    require(array, Kind::Array, "what holds items");
    const auto items = children(array);
    for (std::size_t i = items.size(); i-- > 0;) push(Step::Value, items[i]);
    push(Step::Mark);
  }

  void push_tuple(Node array) {
    push(Step::Tuple);
    push_items(array);
  }

  void write_list(Node object, Node content) {
    out_.empty_list();
    remember(object);
    if (tree_.first(content) == kNone) return;
    push(Step::Append);
    push_items(content);
  }

  void write_dict(Node object, Node content) {
    out_.empty_dict();
    remember(object);
    push_entries(content);
  }

  /// An object, or a list of pairs.
  void push_entries(Node content) {
    const bool pairs = tree_.kind(content) == Kind::Array;
    if (!pairs) require(content, Kind::Object, "what holds keys and values");
    const auto entries = children(content);
    if (entries.empty()) return;
    push(Step::Set);
    for (std::size_t i = entries.size(); i-- > 0;) pairs ? push_pair(entries[i]) : push_entry(entries[i]);
    push(Step::Mark);
  }

  void push_entry(Node member) {
    push(Step::Value, member);
    push(Step::Key, member);
  }

  void push_pair(Node pair) {
    const Node key = tree_.kind(pair) == Kind::Array ? tree_.first(pair) : kNone;
    const Node value = key == kNone ? kNone : tree_.next(key);
    if (value == kNone || tree_.next(value) != kNone) refuse("a dict's entry is no pair");
    push(Step::Value, value);
    push(Step::Value, key);
  }

  /// A container without a class of its own.
  void write_plain(Node object, Node content) {
    if (tree_.find(object, "$state") != kNone) return drop("a builtin container with attributes");
    const std::string_view tag = tree_.key(content);
    if (tag == "$dict") return write_dict(object, content);
    if (tag == "$frozenset") return drop("builtins.frozenset");
    require(content, Kind::Array, tag);
    if (tag == "$list") return write_list(object, content);
    push(Step::Remember, object);
    if (tag == "$tuple") return push_tuple(content);
    out_.global("__builtin__", "set");
    push(Step::Reduce);
    push(Step::Wrap);
    push(Step::Value, content);
  }

  void write_instance(Node object, Node name) {
    require(name, Kind::String, "$class");
    const std::string_view full_name = tree_.string(name);
    const Node dict = tree_.find(object, "$dict");
    const Node arguments = tree_.find(object, "$args");
    if (is_builtin_container(full_name)) {
      for (const std::string_view tag : {"$dict", "$list", "$tuple", "$set", "$frozenset"}) {
        const Node content = tree_.find(object, tag);
        if (content != kNone) return write_plain(object, content);
      }
    }
    if (const auto found = find_dict_class(full_name); found && dict != kNone && arguments == kNone) {
      return write_dict_class(object, *found, dict);
    }
    const bool call = arguments != kNone && tree_.find(object, "$state") == kNone && dict == kNone;
    if (const auto found = find_function(full_name); found && call) {
      out_.global(found->module, found->name);
      push(Step::Remember, object);
      push(Step::Reduce);
      return push_tuple(arguments);
    }
    drop(std::string(full_name));
  }

  void write_dict_class(Node object, const GlobalName& type, Node dict) {
    out_.global(type.module, type.name);
    out_.empty_tuple();
    out_.reduce();
    remember(object);
    if (const Node state = tree_.find(object, "$state"); state != kNone) {
      push(Step::Build);
      push(Step::Value, state);
    }
    push_entries(dict);
  }

  // Sharing.

  void remember(Node object) {
    const Node id = tree_.find(object, "$id");
    if (id == kNone) return;
    require(id, Kind::Integer, "$id");
    if (!memos_.emplace(tree_.integer(id), out_.put()).second) {
      refuse(fmt::format("$id {} occurs twice", tree_.integer(id)));
    }
  }

  void write_reference(Node /*object*/, Node id) {
    require(id, Kind::Integer, "$ref");
    const auto known = memos_.find(tree_.integer(id));
    if (known != memos_.end()) return out_.get(known->second);
    if (!refused_.empty()) return drop("parts of what was left out");
    refuse(fmt::format("$ref {} refers to nothing before it, or to a tuple around it", tree_.integer(id)));
  }

  // Tensors.

  void write_tensor(Node object, Node name) {
    if (tree_.kind(name) == Kind::Null) return drop("tensors that were not taken");
    require(name, Kind::String, "$tensor");
    Reference reference = parse_reference(object, name);
    if (const std::string special = special_name(object); !special.empty()) {
      if (tree_.find(object, "$beside") != kNone || !shelf_.has(reference)) return drop(special);
      ++refused_[special];  // a plain tensor stands for it
      reference.dtype = {};
    }
    const auto key = std::pair(reference.file, reference.name);
    if (const auto known = tensors_.find(key); known != tensors_.end()) return out_.get(known->second);
    const Node state = tree_.find(object, "$state");
    const Node type = tree_.find(object, "$class");
    if (tree_.is_string(type) && !reference.parameter) ++refused_[std::string(tree_.string(type))];
    push(Step::Remember, object);
    if (state != kNone && tree_.kind(state) == Kind::Object) return write_with_state(reference, state);
    shelf_.write(out_, reference);
    tensors_.emplace(key, out_.put());
  }

  /// What a tensor was that cannot come back as that; empty for a plain one.
  std::string special_name(Node object) const {
    if (tree_.find(object, "$numpy") != kNone) return "numpy arrays";
    if (const auto kind = string_at(object, "$kind"); !kind.empty()) {
      return fmt::format("tensors of kind {}", printable(kind));
    }
    const auto dtype = string_at(object, "$dtype");
    const bool changed = dtype == "complex32" || tree_.find(object, "$parts") != kNone;
    return changed ? fmt::format("{} tensors", printable(dtype)) : std::string();
  }

  void drop_array(Node /*object*/, Node /*type*/) { drop("numpy arrays and scalars"); }

  /// Python attributes of a tensor: a function of torch's own sets them.
  void write_with_state(const Reference& reference, Node state) {
    push(Step::Reduce);
    push(Step::Tuple);
    push(Step::Value, state);
    if (reference.parameter) {
      out_.global("torch._utils", "_rebuild_parameter_with_state");
      out_.mark();
      Reference plain = reference;
      plain.parameter = plain.requires_grad = false;
      shelf_.write(out_, plain);
      out_.boolean(reference.requires_grad);
      out_.global("collections", "OrderedDict");
      out_.empty_tuple();
      return out_.reduce();
    }
    out_.global("torch._tensor", "_rebuild_from_type_v2");
    out_.mark();
    shelf_.write_call(out_, reference, GlobalName{"torch", "Tensor"});
  }

  Reference parse_reference(Node object, Node name) const {
    constexpr std::string_view kParameter = "torch.nn.parameter.Parameter";
    Reference reference{.name = tree_.string(name)};
    if (string_at(object, "$file") == "optimizer") reference.file = File::Optimizer;
    reference.dtype = string_at(object, "$dtype");
    reference.parameter = string_at(object, "$class") == kParameter;
    reference.storage = string_at(object, "$storage");
    const Node gradient = tree_.find(object, "$requires_grad");
    reference.requires_grad =
        gradient != kNone && tree_.kind(gradient) == Kind::Bool && tree_.boolean(gradient);
    const Node strides = tree_.find(object, "$strides");
    if (strides == kNone) return reference;
    require(strides, Kind::Array, "$strides");
    for (const Node stride : children(strides)) {
      require(stride, Kind::Integer, "$strides");
      reference.strides.push_back(static_cast<std::uint64_t>(tree_.integer(stride)));
    }
    return reference;
  }

  std::string_view string_at(Node object, std::string_view tag) const {
    const Node node = tree_.find(object, tag);
    if (node == kNone) return {};
    require(node, Kind::String, tag);
    return tree_.string(node);
  }

  // Values that come back by a call, and single ones.

  void write_call(std::string_view module, std::string_view name, Node object, Node arguments) {
    out_.global(module, name);
    push(Step::Remember, object);
    push(Step::Reduce);
    push_tuple(arguments);
  }

  void write_complex(Node object, Node value) { write_call("__builtin__", "complex", object, value); }
  void write_size(Node object, Node value) { write_call("torch", "Size", object, value); }
  void write_device(Node object, Node value) { write_call("torch", "device", object, value); }

  void write_value(Node object, Node value) {
    if (const auto dropped = write_single(out_, tree_, value)) {
      ++refused_[*dropped];
    } else if (tree_.key(value) == "$bytearray") {
      remember(object);
    }
  }

  void drop(const std::string& name) {
    ++refused_[name];
    out_.none();
  }

  pickle::Writer& out_;
  const Document& tree_;
  Shelf& shelf_;
  std::vector<Task> tasks_;
  std::map<std::int64_t, pickle::Writer::Memo> memos_;
  std::map<std::pair<File, std::string_view>, pickle::Writer::Memo> tensors_;
  Refused refused_;
};

}  // namespace

Refused write_tree(pickle::Writer& out, const json::Document& sidecar, json::Node node, Shelf& shelf) {
  return TreeWriter(out, sidecar, shelf).run(node);
}

}  // namespace weighbridge::restore
