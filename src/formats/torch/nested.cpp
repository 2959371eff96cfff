#include "formats/torch/nested.hpp"

#include <fmt/format.h>

#include "base/checked.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/plain.hpp"
#include "formats/torch/rebuild.hpp"

namespace weighbridge::torch {
namespace {

/// The tables of sizes, strides and offsets: a row for each component.
struct Tables {
  std::uint64_t components = 0;
  std::uint64_t rank = 0;
  std::vector<std::int64_t> sizes = {};
  std::vector<std::int64_t> strides = {};
  std::vector<std::int64_t> offsets = {};
};

std::span<const NodeId> four_arguments(const Subject& subject, const Recipe& recipe) {
  const auto arguments = find_sequence(subject.graph(), recipe.arguments);
  if (!arguments || arguments->size() != 4) {
    refuse(subject, "a nested tensor is made from a buffer, sizes, strides and offsets");
  }
  return *arguments;
}

std::vector<std::int64_t> read_table(const Subject& subject, NodeId node, const Shape& shape,
                                     std::string_view what) {
  const Operand table = resolved(subject, parse_operand(subject, node, what));
  if (table.shape != shape) {
    refuse(subject,
           fmt::format("its {} have shape {}, {} needed", what, shape_text(table.shape), shape_text(shape)));
  }
  return read_integers(subject, table, what);
}

Tables read_tables(const Subject& subject, std::span<const NodeId> arguments) {
  const Operand sizes = parse_operand(subject, arguments[1], "sizes");
  const Limits& limits = subject.options.limits;
  if (sizes.shape.size() != 2) refuse(subject, "its table of sizes does not have two dimensions");
  if (sizes.shape[0] > limits.tensors || sizes.shape[1] > limits.rank) {
    refuse(subject, ErrorCode::LimitExceeded,
           fmt::format("{} components of {} dimensions", sizes.shape[0], sizes.shape[1]));
  }
  Tables tables{.components = sizes.shape[0], .rank = sizes.shape[1]};
  tables.sizes = read_table(subject, arguments[1], sizes.shape, "sizes");
  tables.strides = read_table(subject, arguments[2], sizes.shape, "strides");
  tables.offsets = read_table(subject, arguments[3], {tables.components}, "offsets");
  return tables;
}

std::uint64_t unsigned_of(const Subject& subject, std::int64_t number, std::string_view what) {
  if (number < 0) refuse(subject, fmt::format("{} is {}, which is negative", what, number));
  return static_cast<std::uint64_t>(number);
}

Geometry geometry_of(const Subject& subject, const Tables& tables, std::size_t component) {
  Geometry geometry;
  geometry.offset = unsigned_of(subject, tables.offsets[component], "an offset");
  for (std::size_t i = component * tables.rank; i < (component + 1) * tables.rank; ++i) {
    geometry.shape.push_back(unsigned_of(subject, tables.sizes[i], "a size"));
    geometry.strides.push_back(unsigned_of(subject, tables.strides[i], "a stride"));
  }
  return geometry;
}

/// The buffer's own bytes as a storage, so that no component can leave it.
Storage storage_of(const Operand& buffer) {
  return {.source = buffer.data.source,
          .offset = buffer.data.offset,
          .bytes = buffer.bytes(),
          .type = buffer.type,
          .big_endian = false,
          .label = "its buffer"};
}

}  // namespace

std::vector<TensorEntry> rebuild_nested(const Subject& subject, const Recipe& recipe) {
  const auto arguments = four_arguments(subject, recipe);
  const Operand buffer = parse_operand(subject, arguments[0], "buffer");
  if (buffer.shape.size() != 1 || !buffer.data.strides.empty()) {
    refuse(subject, "its buffer is not contiguous in one dimension");
  }
  const Tables tables = read_tables(subject, arguments);
  const Storage storage = storage_of(buffer);
  std::vector<TensorEntry> entries;
  for (std::size_t i = 0; i < tables.components; ++i) {
    const Subject component{subject.document, subject.options, fmt::format("{}.{}", subject.name, i)};
    Operand operand = view_of(component, storage, *buffer.type, geometry_of(component, tables, i));
    operand.data.transform = buffer.data.transform;
    operand.conj = buffer.conj;
    operand.neg = buffer.neg;
    for (TensorEntry& entry : entries_of(component, std::move(operand))) entries.push_back(std::move(entry));
  }
  return entries;
}

std::uint64_t count_components(const Subject& subject, const Recipe& recipe) {
  const Operand sizes = parse_operand(subject, four_arguments(subject, recipe)[1], "sizes");
  return sizes.shape.empty() ? 0 : sizes.shape[0];
}

std::vector<NamedTensor> jagged_parts(const Subject& subject, const Recipe& recipe) {
  const Graph& graph = subject.graph();
  const auto arguments = find_sequence(graph, recipe.arguments);
  if (!arguments || arguments->size() != 1 || kind_of(graph, (*arguments)[0]) != Kind::Dict) {
    refuse(subject, "a jagged tensor is made from one dict");
  }
  std::vector<NamedTensor> parts;
  for (const std::string_view key : {"values", "offsets", "lengths"}) {
    const NodeId part = find_entry(graph, (*arguments)[0], key);
    if (key == "lengths" && kind_of(graph, part) == Kind::None) continue;
    if (!is_tensor(subject.document, part)) refuse(subject, fmt::format("its {} are no tensor", key));
    parts.push_back({fmt::format("{}.{}", subject.name, key), part});
  }
  return parts;
}

}  // namespace weighbridge::torch
