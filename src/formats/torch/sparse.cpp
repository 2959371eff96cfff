#include "formats/torch/sparse.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/dense_source.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/plain.hpp"
#include "formats/torch/sparse_layout.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::array<std::string_view, 5> kLayouts = {"sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr",
                                                      "sparse_bsc"};

/// The argument of _get_layout('torch.sparse_coo'), or the name of the global torch.sparse_coo.
std::string_view layout_text(const Graph& graph, NodeId node) {
  std::string_view text;
  if (constructor_of(graph, node) == Constructor::TorchLayout) text = graph.name(node);
  if (callable_of(graph, node) == Constructor::TorchLayout && arguments_of(graph, node).size() == 1) {
    text = find_text(graph, arguments_of(graph, node)[0]).value_or("");
  }
  if (text.starts_with("torch.")) text.remove_prefix(6);
  const auto found = std::ranges::find(kLayouts, text);
  return found == kLayouts.end() ? std::string_view{} : *found;
}

bool compresses_rows(std::string_view layout) { return layout == "sparse_csr" || layout == "sparse_bsr"; }

SparseParts parse_parts(const Subject& subject, const SparseNodes& nodes) {
  SparseParts parts{.layout = nodes.layout,
                    .shape = parse_shape(subject, nodes.size, "its size"),
                    .first = {},
                    .second = {},
                    .values = resolved(subject, parse_operand(subject, nodes.values, "values"))};
  if (nodes.layout == "sparse_coo") {
    parts.first = resolved(subject, parse_operand(subject, nodes.indices, "indices"));
  } else {
    parts.first = resolved(subject, parse_operand(subject, nodes.compressed, "compressed indices"));
    parts.second = resolved(subject, parse_operand(subject, nodes.plain, "plain indices"));
  }
  return parts;
}

std::uint64_t input_bytes(const SparseParts& parts) {
  const std::uint64_t second = parts.second ? parts.second->storage_bytes : 0;
  return parts.first.storage_bytes + second + parts.values.storage_bytes;
}

std::string identity_of(const SparseParts& parts) {
  return fmt::format("{} {} {} | {} | {} | {}", parts.layout, shape_text(parts.shape),
                     parts.values.type->name, Content(parts.values).identity(),
                     Content(parts.first).identity(),
                     parts.second ? Content(*parts.second).identity() : std::string());
}

}  // namespace

std::optional<SparseNodes> find_sparse(const pickle::Graph& graph, const Recipe& recipe) {
  const auto arguments = find_sequence(graph, recipe.arguments);
  if (!arguments || arguments->size() != 2) return std::nullopt;
  SparseNodes nodes{.layout = layout_text(graph, (*arguments)[0])};
  const auto data = find_sequence(graph, (*arguments)[1]);
  if (nodes.layout.empty() || !data) return std::nullopt;
  if (nodes.layout == "sparse_coo" && (data->size() == 3 || data->size() == 4)) {
    nodes.indices = (*data)[0];
    nodes.values = (*data)[1];
    nodes.size = (*data)[2];
    if (data->size() == 4 && kind_of(graph, (*data)[3]) == Kind::Bool)
      nodes.coalesced = graph.boolean((*data)[3]);
    return nodes;
  }
  if (nodes.layout == "sparse_coo" || data->size() != 4) return std::nullopt;
  nodes.compressed = (*data)[0];
  nodes.plain = (*data)[1];
  nodes.values = (*data)[2];
  nodes.size = (*data)[3];
  return nodes;
}

std::vector<NamedTensor> sparse_parts(const SparseNodes& nodes, const std::string& name) {
  if (nodes.layout == "sparse_coo") {
    return {{name + ".indices", nodes.indices}, {name + ".values", nodes.values}};
  }
  const bool rows = compresses_rows(nodes.layout);
  return {{name + (rows ? ".crow_indices" : ".ccol_indices"), nodes.compressed},
          {name + (rows ? ".col_indices" : ".row_indices"), nodes.plain},
          {name + ".values", nodes.values}};
}

std::vector<TensorEntry> rebuild_sparse(const Subject& subject, const Recipe& recipe) {
  const auto nodes = find_sparse(subject.graph(), recipe);
  if (!nodes) refuse(subject, "made from arguments that are none of a sparse tensor");
  const SparseParts parts = parse_parts(subject, *nodes);
  DensePlan plan = plan_dense(subject, parts);
  check_expansion(subject, parts.shape, plan.bytes, input_bytes(parts));

  Operand dense;
  dense.type = parts.values.type;
  dense.shape = parts.shape;
  dense.storage_bytes = plan.bytes;
  dense.data.source = subject.document.computed->find_or_make(identity_of(parts), [&] {
    return dense_source(Content(parts.values), std::move(plan), subject.options.limits.expansion_floor);
  });
  return entries_of(subject, std::move(dense));
}

}  // namespace weighbridge::torch
