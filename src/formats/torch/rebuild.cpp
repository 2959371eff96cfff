#include "formats/torch/rebuild.hpp"

#include <utility>

#include "formats/torch/arrays.hpp"
#include "formats/torch/device.hpp"
#include "formats/torch/distributed.hpp"
#include "formats/torch/nested.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/open.hpp"
#include "formats/torch/plain.hpp"
#include "formats/torch/quantized.hpp"
#include "formats/torch/sparse.hpp"
#include "formats/torch/tensor_kind.hpp"

namespace weighbridge::torch {
namespace {

/// A tensor that is not made of others, or is put together from them.
std::vector<TensorEntry> rebuild(const Subject& subject, NodeId node, const TensorNode& tensor) {
  switch (tensor.kind) {
    case TensorKind::Storage:
      return entries_of(subject, whole_storage(subject, get_storage(subject, node)));
    case TensorKind::Array:
      return rebuild_array(subject.document, node, subject.name, subject.options);
    case TensorKind::Table:
      return rebuild_table_tensor(subject.document, *subject.document.find_table_tensor(node), subject.name,
                                  subject.options);
    case TensorKind::Strided:
      return entries_of(subject, parse_operand(subject, tensor.recipe));
    case TensorKind::Sparse:
      return rebuild_sparse(subject, tensor.recipe);
    case TensorKind::Quantized:
      return rebuild_quantized(subject, tensor.recipe);
    case TensorKind::Nested:
      return rebuild_nested(subject, tensor.recipe);
    case TensorKind::Sharded:
      return rebuild_sharded(subject, tensor.recipe);
    case TensorKind::Device:
      return rebuild_device_tensor(subject, tensor.recipe);
    case TensorKind::Meta:
      refuse(subject, ErrorCode::Unsupported, "a meta tensor, which has no data (--skip-meta leaves it out)");
    default:
      refuse(subject, "it refers to a table of tensors, and only archives with model.json have one");
  }
}

}  // namespace

bool is_tensor(const Document& document, pickle::NodeId node) {
  return find_tensor(document, node).has_value();
}

std::vector<TensorEntry> rebuild_tensors(const Document& document, pickle::NodeId node, std::string name,
                                         const OpenOptions& options) {
  std::vector<TensorEntry> entries;
  for (const NamedTensor& leaf : open_tensors(document, {{std::move(name), node}}, options).leaves) {
    const Subject subject{document, options, leaf.name};
    const auto tensor = find_tensor(document, leaf.node);
    for (TensorEntry& entry : rebuild(subject, leaf.node, *tensor)) entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<TensorEntry> rebuild_table_tensor(const Document& document, const TableTensor& tensor,
                                              std::string name, const OpenOptions& options) {
  const Subject subject{document, options, std::move(name)};
  const Storage& storage = document.storages[tensor.storage];
  return entries_of(subject, view_of(subject, storage, *storage.type, tensor.geometry));
}

pickle::NodeId tensor_attributes(const Document& document, pickle::NodeId node) {
  const auto tensor = find_tensor(document, node);
  return tensor ? tensor->recipe.attributes : kNoNode;
}

}  // namespace weighbridge::torch
