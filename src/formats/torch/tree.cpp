#include "formats/torch/tree.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/arrays.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/parts.hpp"
#include "formats/torch/rebuild.hpp"

namespace weighbridge::torch {
namespace {

/// One container on the way from the root.
struct Frame {
  NodeId node = kNoNode;
  std::vector<Part> parts;
  std::size_t next = 0;
  std::size_t path_length = 0;  ///< Of the path up to and including this container.
};

/// "[0]" for a position or number, "['a']" for a text.
std::string spelled_segment(const Graph& graph, const Part& part) {
  bool escaped = false;
  const std::string text = find_segment(graph, part, escaped).value_or("?");
  const bool quoted = part.key != kNoNode && find_text(graph, part.key);
  return quoted ? fmt::format("['{}']", text) : fmt::format("[{}]", text);
}

/// Size of a text that is too long to be kept at hand; 0 for everything else.
std::uint64_t long_text_bytes(const Graph& graph, NodeId node) {
  const Kind kind = kind_of(graph, node);
  const bool text = kind == Kind::Text || kind == Kind::Py2String || kind == Kind::Bytes;
  return text && !find_text(graph, node) ? graph.payload_size(node) : 0;
}

class Walk {
 public:
  Walk(const Document& document, const Census& census, const WalkPlan& plan, const Limits& limits,
       Findings& findings)
      : document_(document),
        census_(census),
        plan_(plan),
        limits_(limits),
        findings_(findings),
        on_path_(document.graph.size(), false) {}

  std::vector<NamedTensor> run() {
    enter(plan_.root);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      path_.resize(frame.path_length);
      if (frame.next == frame.parts.size()) {
        leave();
      } else {
        visit(frame.parts[frame.next++]);
      }
    }
    return std::move(found_);
  }

  /// Walks again and spells the way to the tensor at `position` with its keys as they are: [0]['0'].
  std::string spell(std::size_t position) {
    spelled_position_ = position;
    run();
    return std::move(spelled_);
  }

 private:
  void enter(NodeId node) {
    if (frames_.size() >= limits_.walk_depth) {
      throw Error(ErrorCode::LimitExceeded, fmt::format("'{}' is {} containers deep, which is the limit",
                                                        printable(path_), frames_.size()));
    }
    on_path_[node] = true;
    frames_.push_back(
        {.node = node, .parts = tensor_parts(document_, node), .next = 0, .path_length = path_.size()});
  }

  void leave() {
    on_path_[frames_.back().node] = false;
    frames_.pop_back();
  }

  void visit(const Part& part) {
    count_step();
    if (census_.below(part.value) == 0 || on_path_[part.value]) return;
    if (plan_.skip_optimizers && part.role == Role::Entry &&
        is_optimizer(document_.graph, part.key, part.value)) {
      return;
    }
    append_segment(part);
    if (is_tensor(document_, part.value)) {
      add_tensor(part.value);
    } else {
      enter(part.value);
    }
  }

  [[noreturn]] void refuse_key(NodeId key) const {
    const std::string dict = path_.empty() ? "." : printable(path_);
    if (const std::uint64_t bytes = long_text_bytes(document_.graph, key); bytes != 0) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("a key of the dict '{}' has {} bytes, the limit is {}", dict, bytes,
                              limits_.name_bytes));
    }
    throw Error(
        ErrorCode::MalformedCheckpoint,
        fmt::format(
            "a key of the dict '{}' is no text, number or tuple of these, so its tensors have no name",
            dict));
  }

  void append_segment(const Part& part) {
    bool escaped = false;
    const auto segment = find_segment(document_.graph, part, escaped);
    if (!segment) refuse_key(part.key);
    if (!path_.empty()) path_ += '.';
    path_ += *segment;
    if (path_.size() > limits_.name_bytes) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("the name '{}...' has {} bytes, the limit is {}",
                              printable(path_.substr(0, 64)), path_.size(), limits_.name_bytes));
    }
    if (escaped) report_escape();
  }

  void report_escape() {
    if (escapes_++ >= limits_.findings) return;
    findings_.push_back(
        {.severity = Severity::Warning,
         .code = "EscapedName",
         .message = fmt::format("'{}': a key that is not valid UTF-8 was escaped", printable(path_)),
         .subject = path_,
         .offset = std::nullopt});
  }

  void add_tensor(NodeId node) {
    if (found_.size() >= limits_.tensors) {
      throw Error(ErrorCode::LimitExceeded, fmt::format("more than {} tensors", limits_.tensors));
    }
    if (found_.size() == spelled_position_) spelled_ = spelled_path();
    found_.push_back({path_, node});
  }

  std::string spelled_path() const {
    std::string out;
    for (const Frame& frame : frames_) out += spelled_segment(document_.graph, frame.parts[frame.next - 1]);
    return out;
  }

  /// Bounds walks through shared containers, of which there can be exponentially many.
  void count_step() {
    if (++steps_ <= 4 * limits_.tensors + document_.graph.size()) return;
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("the containers refer to each other in more than {} ways", steps_ - 1));
  }

  const Document& document_;
  const Census& census_;
  const WalkPlan& plan_;
  const Limits& limits_;
  Findings& findings_;
  std::vector<bool> on_path_;
  std::vector<Frame> frames_;
  std::string path_;
  std::vector<NamedTensor> found_;
  std::uint64_t steps_ = 0;
  std::uint64_t escapes_ = 0;
  std::size_t spelled_position_ = SIZE_MAX;
  std::string spelled_;
};

struct Collision {
  std::size_t one;
  std::size_t other;
};

/// By sorting, so that no choice of names makes it slow.
std::optional<Collision> find_collision(const std::vector<NamedTensor>& tensors) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(
      order, {}, [&](std::size_t i) { return std::pair<std::string_view, std::size_t>(tensors[i].name, i); });
  const auto same = std::ranges::adjacent_find(
      order, [&](std::size_t a, std::size_t b) { return tensors[a].name == tensors[b].name; });
  if (same == order.end()) return std::nullopt;
  return Collision{*same, *std::next(same)};
}

}  // namespace

std::vector<NamedTensor> name_tensors(const Document& document, const Census& census, const WalkPlan& plan,
                                      const Limits& limits, Findings& findings) {
  if (census.below(plan.root) == 0) return {};
  if (document.find_storage(plan.root) != nullptr) return {{"storage", plan.root}};
  if (is_array_tensor(document, plan.root)) return {{"array", plan.root}};
  if (is_tensor(document, plan.root)) return {{"tensor", plan.root}};
  const auto walk = [&] { return Walk(document, census, plan, limits, findings); };
  auto tensors = walk().run();
  if (const auto collision = find_collision(tensors)) {
    const std::string& name = tensors[collision->one].name;
    throw Error(
        ErrorCode::NameCollision,
        fmt::format("two tensors would be named '{}': {} and {}", printable(name),
                    printable(walk().spell(collision->one)), printable(walk().spell(collision->other))),
        name);
  }
  return tensors;
}

bool is_optimizer(const pickle::Graph& graph, pickle::NodeId key, pickle::NodeId value) {
  constexpr std::array<std::string_view, 5> kKeys = {"optimizer", "optimizer_state_dict", "optimizer_states",
                                                     "optim", "opt_state"};
  const auto text = find_text(graph, key);
  if (text && std::ranges::find(kKeys, *text) != kKeys.end()) return true;
  return find_entry(graph, value, "state") != kNoNode && find_entry(graph, value, "param_groups") != kNoNode;
}

}  // namespace weighbridge::torch
