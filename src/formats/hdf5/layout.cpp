#include "formats/hdf5/layout.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/hdf5/groups.hpp"
#include "formats/hdf5/messages.hpp"

namespace weighbridge::hdf5 {
namespace {

constexpr std::uint64_t kSuperblockBytes = 96;
constexpr std::uint64_t kDataAlignment = 64;

std::uint64_t align(std::uint64_t at) { return (at + kDataAlignment - 1) / kDataAlignment * kDataAlignment; }

/// A group, by the names of its members; each is a group or a tensor.
struct Node {
  std::map<std::string, std::size_t, std::less<>> groups = {};   ///< Position in the list of nodes.
  std::map<std::string, std::size_t, std::less<>> tensors = {};  ///< Position in the checkpoint.
  std::uint64_t address = 0;
};

class Layout {
 public:
  explicit Layout(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {
    nodes_.emplace_back();
    links_.resize(checkpoint.tensors.size());
    for (std::size_t i = 0; i < checkpoint.tensors.size(); ++i) add(i, checkpoint.tensors[i].spec.name);
    if (checkpoint.metadata) add_aliases(*checkpoint.metadata);
  }

  FilePlan run() && {
    place();
    FilePlan plan;
    plan.head = superblock();
    for (const Node& node : nodes_) plan.head += group_bytes(members_of(node), node.address);
    for (std::size_t i = 0; i < headers_.size(); ++i) {
      plan.head += dataset_header(checkpoint_.tensors[i].spec, {data_[i], heap_, links_[i]});
    }
    plan.head += heap_of_names();
    plan.head.resize(align(plan.head.size()), '\0');
    add_steps(plan);
    return plan;
  }

 private:
  [[noreturn]] static void refuse(ErrorCode code, const std::string& name, std::string_view why) {
    throw Error(code, fmt::format("tensor '{}' {}", printable(name), why), name);
  }

  void add_aliases(const Metadata& metadata) {
    std::map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < links_.size(); ++i) places.emplace(checkpoint_.tensors[i].spec.name, i);
    for (const auto& [alias, kept] : metadata) {
      const auto place = places.find(kept);
      if (place != places.end() && !places.contains(alias)) add(place->second, alias);
    }
  }

  void add(std::size_t tensor, const std::string& name) {
    ++links_[tensor];
    std::size_t node = 0;
    std::string_view rest = name;
    for (std::size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
      node = enter(node, rest.substr(0, slash), name);
      rest.remove_prefix(slash + 1);
    }
    check_part(rest, name);
    if (nodes_[node].groups.contains(rest)) refuse(ErrorCode::NameCollision, name, "would be a group too");
    nodes_[node].tensors.emplace(rest, tensor);
  }

  static void check_part(std::string_view part, const std::string& name) {
    if (!part.empty() && part != "." && part != ".." && part.find('\0') == std::string_view::npos) return;
    refuse(ErrorCode::InvalidArgument, name, "has a name that is no path in an HDF5 file");
  }

  std::size_t enter(std::size_t node, std::string_view part, const std::string& name) {
    check_part(part, name);
    if (nodes_[node].tensors.contains(part)) {
      refuse(ErrorCode::NameCollision, name,
             fmt::format("needs a group where the tensor '{}' is", printable(part)));
    }
    const auto known = nodes_[node].groups.find(part);
    if (known != nodes_[node].groups.end()) return known->second;
    nodes_[node].groups.emplace(part, nodes_.size());
    nodes_.emplace_back();
    return nodes_.size() - 1;
  }

  /// Sizes do not depend on addresses: these follow in one pass.
  void place() {
    std::uint64_t at = kSuperblockBytes;
    headers_.resize(checkpoint_.tensors.size());
    for (Node& node : nodes_) {
      node.address = at;
      at += group_size(members_of(node));
    }
    for (std::size_t i = 0; i < headers_.size(); ++i) {
      headers_[i] = at;
      at += dataset_header_bytes(checkpoint_.tensors[i].spec);
    }
    heap_ = at;
    at = align(at + kHeapBytes);
    for (const TensorEntry& tensor : checkpoint_.tensors) {
      data_.push_back(at);
      const auto end = checked_add(at, byte_size(tensor.spec.dtype, tensor.spec.shape));
      if (!end || *end > INT64_MAX - kDataAlignment) {
        throw Error(ErrorCode::ValidationOverflow, "the HDF5 file exceeds 2^63 bytes");
      }
      at = align(*end);
    }
    end_ = at;
  }

  /// In order of their names, whatever they are.
  [[nodiscard]] std::vector<GroupMember> members_of(const Node& node) const {
    std::vector<GroupMember> members;
    members.reserve(node.groups.size() + node.tensors.size());
    for (const auto& [name, group] : node.groups) members.push_back({name, nodes_[group].address});
    for (const auto& [name, tensor] : node.tensors) members.push_back({name, headers_[tensor]});
    std::ranges::sort(members, {}, &GroupMember::name);
    return members;
  }

  [[nodiscard]] std::string superblock() const {
    constexpr std::uint64_t kWithPlaces = 1;
    const GroupPlaces root = group_places(members_of(nodes_.front()), kSuperblockBytes);
    Fields out;
    out.text("\x89HDF\r\n\x1A\n").zeros(5).u8(8).u8(8).u8(0).u16(kLeafHalf).u16(kTreeHalf).u32(0);
    out.u64(0).u64(kUndefined).u64(end_).u64(kUndefined);
    out.u64(0).u64(kSuperblockBytes).u32(kWithPlaces).u32(0).u64(root.tree).u64(root.names);
    return out.take();
  }

  void add_steps(FilePlan& plan) const {
    std::uint64_t at = plan.head.size();
    for (std::size_t i = 0; i < data_.size(); ++i) {
      const TensorEntry& tensor = checkpoint_.tensors[i];
      ByteRuns runs = tensor_runs(tensor);
      if (runs.total_bytes == 0) continue;
      const std::uint64_t bytes = runs.total_bytes;
      plan.steps.push_back({.name = tensor.spec.name,
                            .source = tensor.data.source,
                            .runs = std::move(runs),
                            .transform = tensor.data.transform,
                            .destination = at});
      at = align(at + bytes);
      pad(plan, plan.steps.back().destination + bytes, at);
    }
    plan.total_bytes = end_;
  }

  static void pad(FilePlan& plan, std::uint64_t from, std::uint64_t to) {
    if (from == to) return;
    static const SourcePtr zeros = memory_source(Buffer::take(std::string(kDataAlignment, '\0')));
    plan.steps.push_back({.name = "padding",
                          .source = zeros,
                          .runs = {.run_bytes = to - from, .total_bytes = to - from},
                          .destination = from});
  }

  const Checkpoint& checkpoint_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> links_;    ///< How many names each tensor has.
  std::vector<std::uint64_t> headers_;  ///< Addresses of the datasets' headers ...
  std::vector<std::uint64_t> data_;     ///< ... and of their data.
  std::uint64_t heap_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace

FilePlan plan_hdf5(const Checkpoint& checkpoint) { return Layout(checkpoint).run(); }

}  // namespace weighbridge::hdf5
