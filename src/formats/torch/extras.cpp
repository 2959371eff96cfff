#include "formats/torch/extras.hpp"

#include "formats/torch/nodes.hpp"
#include "formats/torch/parts.hpp"
#include "formats/torch/rebuild.hpp"
#include "formats/torch/sidecar.hpp"
#include "formats/torch/summary.hpp"

namespace weighbridge::torch {
namespace {

/// Visits every value that is neither a tensor nor a container with content, in file order.
/// A container that is met again is not entered again, so the walk is as long as the file.
class LeafWalk {
 public:
  LeafWalk(const Document& document, std::uint64_t longest_path)
      : document_(document), longest_path_(longest_path), seen_(document.graph.size(), false) {}

  /// Counts up to `most` leaves; keeps them if `items` is given.
  std::uint64_t run(std::uint64_t most, std::vector<ExtraItem>* items) {
    items_ = items;
    most_ = most;
    visit(document_.root);
    while (!frames_.empty() && count_ < most_) {
      Frame& frame = frames_.back();
      path_.resize(frame.path_length);
      if (frame.next == frame.parts.size()) {
        frames_.pop_back();
      } else {
        const Part& part = frame.parts[frame.next++];
        append_segment(part);
        visit(part.value);
      }
    }
    return count_;
  }

 private:
  struct Frame {
    std::vector<Part> parts;
    std::size_t next;
    std::size_t path_length;
  };

  void append_segment(const Part& part) {
    if (path_.size() >= longest_path_) return;
    bool escaped = false;
    if (!path_.empty()) path_ += '.';
    path_ += find_segment(document_.graph, part, escaped).value_or("?");
  }

  void visit(NodeId node) {
    if (node == kNoNode || most_ == 0) return;
    const bool tensor = is_tensor(document_, node);
    if (!tensor && is_single_value(document_.graph, node)) return add_leaf(node);
    auto parts = parts_of(document_, node);
    if (parts.empty()) return tensor ? void() : add_leaf(node);
    if (seen_[node]) return tensor ? void() : add_leaf(node);
    seen_[node] = true;
    frames_.push_back({std::move(parts), 0, path_.size()});
  }

  void add_leaf(NodeId node) {
    ++count_;
    if (items_ == nullptr) return;
    items_->push_back({.path = path_.empty() ? "." : path_,
                       .summary = summarize(document_, node) + (seen_[node] ? " (again)" : "")});
  }

  const Document& document_;
  std::uint64_t longest_path_;
  std::vector<bool> seen_;
  std::vector<Frame> frames_;
  std::string path_;
  std::vector<ExtraItem>* items_ = nullptr;
  std::uint64_t most_ = 0;
  std::uint64_t count_ = 0;
};

class DocumentExtras final : public Extras {
 public:
  DocumentExtras(std::shared_ptr<const Document> document, TensorPlaces places, const OpenOptions& options)
      : document_(std::move(document)), places_(std::move(places)), options_(options) {}

  std::uint64_t count() const override { return LeafWalk(*document_, 0).run(UINT64_MAX, nullptr); }

  std::vector<ExtraItem> list(std::uint64_t most) const override {
    std::vector<ExtraItem> items;
    LeafWalk(*document_, options_.limits.name_bytes).run(most, &items);
    return items;
  }

  std::string to_json(const Limits& limits) const override {
    return serialize_sidecar(*document_, places_, options_, limits);
  }

 private:
  std::shared_ptr<const Document> document_;
  TensorPlaces places_;
  OpenOptions options_;
};

}  // namespace

std::shared_ptr<const Extras> make_extras(std::shared_ptr<const Document> document,
                                          const std::vector<NamedTensor>& tensors,
                                          const std::vector<NamedTensor>& optimizer,
                                          const OpenOptions& options) {
  TensorPlaces places;
  for (const NamedTensor& tensor : tensors) {
    places.try_emplace(tensor.node, TensorPlace{.name = tensor.name});
  }
  for (const NamedTensor& tensor : optimizer) {
    places.try_emplace(tensor.node, TensorPlace{.name = tensor.name, .optimizer = true});
  }
  return std::make_shared<DocumentExtras>(std::move(document), std::move(places), options);
}

}  // namespace weighbridge::torch
