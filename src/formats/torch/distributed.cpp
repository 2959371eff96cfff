#include "formats/torch/distributed.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/plain.hpp"
#include "formats/torch/rebuild.hpp"
#include "formats/torch/tensor_kind.hpp"
#include "formats/torch/tiles.hpp"

namespace weighbridge::torch {
namespace {

/// A process holds a handful of shards of one tensor.
constexpr std::size_t kMostShards = 4096;

/// An attribute of an object whose state is a dict, or a tuple of None and a dict for its slots.
NodeId find_attribute(const Graph& graph, NodeId state, std::string_view name) {
  if (const auto parts = find_sequence(graph, state)) {
    for (const NodeId part : *parts) {
      if (const NodeId value = find_entry(graph, part, name); value != kNoNode) return value;
    }
    return kNoNode;
  }
  return find_entry(graph, state, name);
}

NodeId state_of(const Graph& graph, NodeId node) {
  return is_instance(graph, node) ? graph.state(node) : kNoNode;
}

/// The name of a class of torch's placements; empty for anything else.
std::string_view placement_name(const Graph& graph, NodeId placement) {
  if (!is_instance(graph, placement)) return {};
  const NodeId type = graph.callable(placement);
  if (kind_of(graph, type) != Kind::Global || !graph.module(type).starts_with("torch.distributed")) return {};
  return graph.name(type);
}

/// The shape of a view, if it is one.
std::optional<Shape> find_strided_shape(const Subject& subject, NodeId node) {
  const auto tensor = find_tensor(subject.document, node);
  if (!tensor || tensor->kind != TensorKind::Strided) return std::nullopt;
  return parse_operand(subject, tensor->recipe).shape;
}

/// A mesh of one process: its table of ranks has one element.
bool is_single_process(const Subject& subject, NodeId mesh) {
  for (const std::string_view name : {"_rank_map", "mesh"}) {
    const NodeId ranks = find_attribute(subject.graph(), state_of(subject.graph(), mesh), name);
    if (ranks == kNoNode) continue;
    const auto shape = find_strided_shape(subject, ranks);
    return shape && std::ranges::all_of(*shape, [](std::uint64_t size) { return size == 1; });
  }
  return false;
}

/// Not a placement by which the processes hold terms of a sum.
bool is_whole_or_part(const Graph& graph, NodeId placement) {
  const std::string_view name = placement_name(graph, placement);
  return name == "Replicate" || name == "Shard" || name == "_StridedShard";
}

std::string placements_text(const Graph& graph, std::span<const NodeId> placements) {
  std::string text;
  for (const NodeId placement : placements) {
    const std::string_view name = placement_name(graph, placement);
    if (!text.empty()) text += ", ";
    text += name.empty() ? "?" : printable(name);
    const auto dim = find_integer(graph, find_attribute(graph, state_of(graph, placement), "dim"));
    if (dim) text += fmt::format("({})", *dim);
  }
  return text;
}

Shape parse_global_shape(const Subject& subject, const Recipe& recipe) {
  const auto arguments = find_sequence(subject.graph(), recipe.arguments);
  if (!arguments || arguments->size() < 3) refuse(subject, "a distributed tensor without a size");
  return parse_shape(subject, (*arguments)[2], "its size");
}

// --- ShardedTensor

struct Box {
  Shape offsets;
  Shape sizes;
};

Box parse_box(const Subject& subject, NodeId metadata, const Shape& whole) {
  const Graph& graph = subject.graph();
  const NodeId state = state_of(graph, metadata);
  Box box{.offsets = parse_shape(subject, find_attribute(graph, state, "shard_offsets"), "a shard's offset"),
          .sizes = parse_shape(subject, find_attribute(graph, state, "shard_sizes"), "a shard's size")};
  bool inside = box.offsets.size() == whole.size() && box.sizes.size() == whole.size();
  for (std::size_t i = 0; inside && i < whole.size(); ++i) {
    inside = range_fits(box.offsets[i], box.sizes[i], whole[i]);
  }
  if (!inside) {
    refuse(subject, fmt::format("a shard of {} at {} in a tensor of {}", shape_text(box.sizes),
                                shape_text(box.offsets), shape_text(whole)));
  }
  return box;
}

/// One shard of this file.
struct Shard {
  Shape offsets;
  Operand operand;
};

Shard parse_shard(const Subject& subject, NodeId shard, const Shape& whole) {
  const Graph& graph = subject.graph();
  const NodeId state = state_of(graph, shard);
  const Box box = parse_box(subject, find_attribute(graph, state, "metadata"), whole);
  Operand operand =
      resolved(subject, parse_operand(subject, find_attribute(graph, state, "tensor"), "shards"));
  if (operand.shape != box.sizes) {
    refuse(subject, fmt::format("a shard has shape {}, its metadata say {}", shape_text(operand.shape),
                                shape_text(box.sizes)));
  }
  return {.offsets = box.offsets, .operand = std::move(operand)};
}

std::vector<Shard> parse_shards(const Subject& subject, NodeId list, const Shape& whole) {
  const auto nodes = find_sequence(subject.graph(), list);
  if (!nodes) refuse(subject, "its shards are not a list");
  if (nodes->size() > kMostShards) {
    refuse(subject, ErrorCode::LimitExceeded,
           fmt::format("{} shards in one file, the limit is {}", nodes->size(), kMostShards));
  }
  std::vector<Shard> shards;
  for (const NodeId node : *nodes) shards.push_back(parse_shard(subject, node, whole));
  return shards;
}

void check_all_here(const Subject& subject, const std::vector<Shard>& shards, const Shape& whole) {
  std::uint64_t here = 0;
  for (const Shard& shard : shards) {
    if (shard.operand.type != shards.front().operand.type) refuse(subject, "its shards differ in dtype");
    here += shard.operand.elements();
  }
  const std::uint64_t needed = count_of(subject, whole);
  if (here >= needed && !shards.empty()) return;
  refuse(
      subject, ErrorCode::Unsupported,
      fmt::format("this file holds {} of the {} elements of a sharded tensor of shape {}; the other shards "
                  "are in the files of other processes",
                  here, needed, shape_text(whole)));
}

/// Tied tensors have one source in common.
TensorEntry joined(const Subject& subject, const TensorSpec& whole, std::vector<Tile> tiles) {
  std::string key = fmt::format("tiles of {} {}", dtype_name(whole.dtype), shape_text(whole.shape));
  for (const Tile& tile : tiles) {
    const TensorData& data = tile.tensor.data;
    key += fmt::format(" | {} {} {} {}", shape_text(tile.offsets), fmt::ptr(data.source.get()), data.offset,
                       shape_text(data.strides));
  }
  const bool several = tiles.size() > 1;
  TensorEntry entry = join_tiles(whole, std::move(tiles));
  if (several) {
    entry.data.source =
        subject.document.computed->find_or_make(key, [&] { return std::move(entry.data.source); });
  }
  return entry;
}

}  // namespace

NamedTensor whole_of_dtensor(const Subject& subject, const Recipe& recipe) {
  const Graph& graph = subject.graph();
  const NodeId local = find_attribute(graph, recipe.state, "_local_tensor");
  const NodeId spec = state_of(graph, find_attribute(graph, recipe.state, "_spec"));
  if (!is_tensor(subject.document, local)) refuse(subject, "a DTensor without a local tensor");
  const auto placements = find_sequence(graph, find_attribute(graph, spec, "placements"));
  if (!placements) refuse(subject, "a DTensor without placements");

  const bool alone = is_single_process(subject, find_attribute(graph, spec, "mesh"));
  const std::string text = placements_text(graph, *placements);
  if (!alone &&
      !std::ranges::all_of(*placements, [&](NodeId each) { return is_whole_or_part(graph, each); })) {
    refuse(subject, ErrorCode::Unsupported,
           fmt::format("a DTensor placed as {} is one term of a sum; the others are in the files of other "
                       "processes",
                       text));
  }
  const Shape global = parse_global_shape(subject, recipe);
  const auto shape = find_strided_shape(subject, local);
  const bool replicated = std::ranges::all_of(
      *placements, [&](NodeId each) { return placement_name(graph, each) == "Replicate"; });
  if (shape ? *shape == global : alone || replicated) return {subject.name, local};
  refuse(subject, ErrorCode::Unsupported,
         fmt::format("this file holds {} of a DTensor of shape {} placed as {}; the rest is in the files of "
                     "other processes",
                     shape ? shape_text(*shape) : "a part", shape_text(global), text));
}

std::vector<TensorEntry> rebuild_sharded(const Subject& subject, const Recipe& recipe) {
  const Graph& graph = subject.graph();
  const auto state = find_sequence(graph, recipe.state);
  if (!state || state->size() < 2) refuse(subject, "a sharded tensor without shards and metadata");
  const NodeId metadata = state_of(graph, (*state)[1]);
  const Shape whole = parse_shape(subject, find_attribute(graph, metadata, "size"), "its size");
  const std::vector<Shard> shards = parse_shards(subject, (*state)[0], whole);
  check_all_here(subject, shards, whole);

  // What a shard becomes the whole becomes: one tensor, or the two parts of a complex one.
  std::vector<TensorSpec> specs;
  std::vector<std::vector<Tile>> tiles;
  for (const Shard& shard : shards) {
    const std::vector<TensorEntry> parts = entries_of(subject, shard.operand);
    tiles.resize(parts.size());
    specs.resize(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      specs[i] = {.name = parts[i].spec.name, .dtype = parts[i].spec.dtype, .shape = whole};
      tiles[i].push_back({.offsets = shard.offsets, .tensor = parts[i]});
    }
  }
  std::vector<TensorEntry> entries;
  entries.reserve(tiles.size());
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    entries.push_back(joined(subject, specs[i], std::move(tiles[i])));
  }
  return entries;
}

}  // namespace weighbridge::torch
