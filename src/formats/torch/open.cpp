#include "formats/torch/open.hpp"

#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/distributed.hpp"
#include "formats/torch/nested.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/parts.hpp"
#include "formats/torch/sparse.hpp"
#include "formats/torch/tensor_kind.hpp"

namespace weighbridge::torch {
namespace {

class Opener {
 public:
  Opener(const Document& document, const OpenOptions& options) : document_(document), options_(options) {}

  void open(const NamedTensor& tensor) {
    const std::size_t leaves = result_.leaves.size();
    pending_.push_back({tensor, 0});
    while (!pending_.empty()) {
      const Pending next = std::move(pending_.back());
      pending_.pop_back();
      visit(next);
    }
    if (result_.leaves.size() > leaves) return;
    throw Error(ErrorCode::Unsupported,
                fmt::format("tensor '{}': an instance of {}, which wraps no tensors", printable(tensor.name),
                            class_text(tensor.node)),
                tensor.name);
  }

  OpenedTensors take() && { return std::move(result_); }

 private:
  struct Pending {
    NamedTensor value;  ///< A tensor, or a container within a wrapper.
    std::uint32_t depth = 0;
  };

  void visit(const Pending& at) {
    check_bounds(at);
    const auto tensor = find_tensor(document_, at.value.node);
    if (!tensor) return push(container_parts(at.value), at.depth);
    const auto parts = parts_of_tensor(at.value, *tensor);
    if (!parts) return result_.leaves.push_back(at.value);
    result_.opened.push_back(at.value);
    push(*parts, at.depth);
  }

  void check_bounds(const Pending& at) {
    const Limits& limits = options_.limits;
    const bool deep = at.depth > limits.walk_depth;
    const bool many = ++steps_ > 4 * limits.tensors + document_.graph.size() ||
                      result_.leaves.size() >= limits.tensors || at.value.name.size() > limits.name_bytes;
    if (!deep && !many) return;
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("tensor '{}...': {}", printable(at.value.name.substr(0, 64)),
                            deep ? "tensors within tensors are too deep"
                                 : "too many tensors within tensors, or too long a name"),
                at.value.name);
  }

  void push(const std::vector<NamedTensor>& values, std::uint32_t depth) {
    for (auto value = values.rbegin(); value != values.rend(); ++value)
      pending_.push_back({*value, depth + 1});
  }

  /// Nothing when the tensor goes out as one.
  std::optional<std::vector<NamedTensor>> parts_of_tensor(const NamedTensor& at, const TensorNode& tensor) {
    const Subject subject{document_, options_, at.name};
    switch (tensor.kind) {
      case TensorKind::Jagged:
        return jagged_parts(subject, tensor.recipe);
      case TensorKind::Wrapper:
        return wrapped(at, tensor.recipe.state);
      case TensorKind::Distributed:
        return std::vector{whole_of_dtensor(subject, tensor.recipe)};
      case TensorKind::Sparse:
        return split_sparse(at, tensor);
      default:
        return std::nullopt;
    }
  }

  std::optional<std::vector<NamedTensor>> split_sparse(const NamedTensor& at, const TensorNode& tensor) {
    if (options_.sparse == SparsePolicy::Dense) return std::nullopt;
    const auto nodes = find_sparse(document_.graph, tensor.recipe);
    if (!nodes) return std::nullopt;  // refused with its reason when it is rebuilt
    return sparse_parts(*nodes, at.name);
  }

  /// The attributes of a wrapper: a dict, or the dict and the one of its slots.
  std::vector<NamedTensor> wrapped(const NamedTensor& at, NodeId state) {
    std::vector<NamedTensor> found;
    const auto halves = find_sequence(document_.graph, state);
    if (!halves) return entries(at.name, state);
    for (const NodeId half : *halves) {
      for (NamedTensor& entry : entries(at.name, half)) found.push_back(std::move(entry));
    }
    return found;
  }

  std::vector<NamedTensor> entries(const std::string& name, NodeId dict) {
    if (kind_of(document_.graph, dict) != Kind::Dict) return {};
    return container_parts({name, dict});
  }

  std::vector<NamedTensor> container_parts(const NamedTensor& at) const {
    std::vector<NamedTensor> found;
    for (const Part& part : tensor_parts(document_, at.node)) {
      if (!may_hold_tensors(part.value)) continue;
      bool escaped = false;
      const auto segment = find_segment(document_.graph, part, escaped);
      if (segment) found.push_back({fmt::format("{}.{}", at.name, *segment), part.value});
    }
    return found;
  }

  bool may_hold_tensors(NodeId node) const {
    switch (kind_of(document_.graph, node)) {
      case Kind::List:
      case Kind::Tuple:
      case Kind::Dict:
      case Kind::Call:
      case Kind::Object:
        return true;
      default:
        return document_.find_storage(node) != nullptr;
    }
  }

  std::string class_text(NodeId node) const {
    const auto tensor = find_tensor(document_, node);
    if (!tensor || tensor->recipe.type == kNoNode) return "an unknown class";
    return printable(class_name(document_.graph, tensor->recipe.type));
  }

  const Document& document_;
  const OpenOptions& options_;
  OpenedTensors result_;
  std::vector<Pending> pending_;
  std::uint64_t steps_ = 0;
};

}  // namespace

OpenedTensors open_tensors(const Document& document, const std::vector<NamedTensor>& tensors,
                           const OpenOptions& options) {
  Opener opener(document, options);
  for (const NamedTensor& tensor : tensors) opener.open(tensor);
  return std::move(opener).take();
}

}  // namespace weighbridge::torch
