#include "formats/torch/paddle.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/numpy/joined_source.hpp"
#include "formats/numpy/node_values.hpp"
#include "formats/torch/arrays.hpp"
#include "formats/torch/nodes.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::string_view kTable = "UnpackBigParamInfor@@";

/// The entries of a dict by their text; of equal keys the last.
using Entries = std::map<std::string_view, NodeId>;

Entries index_entries(const Graph& graph, NodeId dict) {
  Entries entries;
  const auto items = graph.items(dict);
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (const auto text = find_text(graph, items[i])) entries[*text] = items[i + 1];
  }
  return entries;
}

class Joiner {
 public:
  Joiner(Document& document, const Limits& limits)
      : document_(document), limits_(limits), entries_(index_entries(document.graph, document.root)) {}

  void run(NodeId table) {
    document_.joined.table = table;
    const auto items = document_.graph.items(table);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (kind_of(document_.graph, items[i + 1]) != Kind::Dict) continue;
      add(items[i], items[i + 1]);
    }
  }

 private:
  void add(NodeId key, NodeId info) {
    document_.arrays.insert_or_assign(info, numpy::attempt([&] { return join(info); }));
    document_.joined.arrays.push_back({.key = key, .value = info});
  }

  numpy::Array join(NodeId info) {
    const auto names = find_sequence(document_.graph, find_entry(document_.graph, info, "slices"));
    if (!names || names->empty()) numpy::refuse("the table of its slices names none");
    std::vector<numpy::Stretch> stretches;
    const numpy::Array* first = nullptr;
    for (const NodeId name : *names) {
      const numpy::Array& slice = get_slice(name);
      if (first == nullptr) first = &slice;
      if (numpy::type_text(*slice.type) != numpy::type_text(*first->type)) {
        numpy::refuse("its slices are of different types");
      }
      stretches.push_back({slice.source, slice.offset, slice.bytes});
    }
    SourcePtr data = numpy::join(stretches);
    const std::uint64_t bytes = data->size();
    const Shape shape = numpy::parse_shape(document_.graph, find_entry(document_.graph, info, "OriginShape"));
    return numpy::make_array(first->type, shape, numpy::Order::RowMajor, std::move(data), 0, bytes, limits_);
  }

  /// One dimension, so that its bytes lie as its elements follow each other.
  const numpy::Array& get_slice(NodeId name) {
    const auto text = find_text(document_.graph, name);
    const auto entry = text ? entries_.find(*text) : entries_.end();
    if (entry == entries_.end()) {
      numpy::refuse(fmt::format("its slice '{}' is not in the file", printable(text.value_or("?"))));
    }
    const numpy::Array* slice = find_array(document_, entry->second);
    if (slice == nullptr || slice->shape.size() != 1 || slice->items != kNoNode) {
      numpy::refuse(fmt::format("its slice '{}' is no array of one dimension", printable(*text)));
    }
    if (!document_.joined.slices.insert(entry->second).second) {
      numpy::refuse(fmt::format("its slice '{}' is used twice", printable(*text)));
    }
    return *slice;
  }

  Document& document_;
  const Limits& limits_;
  Entries entries_;
};

}  // namespace

void join_slices(Document& document, const Limits& limits) {
  const NodeId table = find_entry(document.graph, document.root, kTable);
  if (kind_of(document.graph, table) == Kind::Dict) Joiner(document, limits).run(table);
}

pickle::NodeId strip_parameter_name(const Document& document, pickle::NodeId node) {
  const Graph& graph = document.graph;
  if (kind_of(graph, node) != Kind::Tuple || graph.origin(node) == kNoNode) return node;
  const auto items = graph.items(node);
  const bool named = items.size() == 2 && find_text(graph, items[0]) && is_array_tensor(document, items[1]);
  return named ? items[1] : node;
}

std::vector<Part> replace_slices(const Document& document, std::vector<Part> parts) {
  const JoinedArrays& joined = document.joined;
  std::erase_if(parts, [&](const Part& part) {
    return part.value == joined.table || joined.slices.contains(part.value);
  });
  for (const auto& [key, value] : joined.arrays) {
    parts.push_back({.role = Role::Entry, .key = key, .index = parts.size(), .value = value});
  }
  return parts;
}

}  // namespace weighbridge::torch
