#include "cli/tree.hpp"

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "cli/terminal.hpp"

namespace weighbridge::cli {
namespace {

// A name may consist of dots; behind this depth its rest is one label.
constexpr std::size_t kMaxDepth = 64;

struct Node {
  std::string_view label;
  const TensorEntry* tensor = nullptr;  // of a leaf
  std::vector<std::size_t> children;
  std::uint64_t tensors = 0;
  std::uint64_t bytes = 0;
};

class Tree {
 public:
  void add(const TensorEntry& tensor) {
    const std::uint64_t bytes = byte_size(tensor.spec.dtype, tensor.spec.shape);
    std::string_view rest = tensor.spec.name;
    std::size_t at = 0;
    count(at, bytes);
    for (std::size_t depth = 1; depth < kMaxDepth && rest.find('.') != rest.npos; ++depth) {
      at = branch(at, rest.substr(0, rest.find('.')));
      rest.remove_prefix(rest.find('.') + 1);
      count(at, bytes);
    }
    nodes_[add_child(at, rest)].tensor = &tensor;
  }

  void print(std::FILE* stream) const {
    std::vector<std::pair<std::size_t, std::size_t>> waiting;  // node, depth
    push_children(waiting, 0, 0);
    while (!waiting.empty()) {
      const auto [at, depth] = waiting.back();
      waiting.pop_back();
      print_node(stream, nodes_[at], depth);
      push_children(waiting, at, depth + 1);
    }
  }

 private:
  void count(std::size_t at, std::uint64_t bytes) {
    ++nodes_[at].tensors;
    nodes_[at].bytes += bytes;
  }

  std::size_t branch(std::size_t parent, std::string_view label) {
    const auto [found, is_new] = branches_.try_emplace({parent, label}, nodes_.size());
    return is_new ? add_child(parent, label) : found->second;
  }

  std::size_t add_child(std::size_t parent, std::string_view label) {
    nodes_.emplace_back().label = label;
    nodes_[parent].children.push_back(nodes_.size() - 1);
    return nodes_.size() - 1;
  }

  void push_children(std::vector<std::pair<std::size_t, std::size_t>>& waiting, std::size_t at,
                     std::size_t depth) const {
    const auto& children = nodes_[at].children;
    for (auto child = children.rbegin(); child != children.rend(); ++child)
      waiting.emplace_back(*child, depth);
  }

  static void print_node(std::FILE* stream, const Node& node, std::size_t depth) {
    const std::string label = printable(node.label);
    if (node.tensor == nullptr) {
      fmt::print(stream, "{:{}}{}/  {}, {}\n", "", depth * 2, label, count_text(node.tensors, "tensor"),
                 size_text(node.bytes));
    } else {
      const TensorSpec& spec = node.tensor->spec;
      fmt::print(stream, "{:{}}{}  {} {}\n", "", depth * 2, label, dtype_name(spec.dtype),
                 shape_text(spec.shape));
    }
  }

  std::vector<Node> nodes_{Node{}};
  std::map<std::pair<std::size_t, std::string_view>, std::size_t> branches_;
};

}  // namespace

void print_tree(std::FILE* stream, const std::vector<const TensorEntry*>& tensors) {
  Tree tree;
  for (const TensorEntry* tensor : tensors) tree.add(*tensor);
  tree.print(stream);
}

}  // namespace weighbridge::cli
