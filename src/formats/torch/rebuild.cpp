#include "formats/torch/rebuild.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/torch/geometry.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/recipe.hpp"

namespace weighbridge::torch {
namespace {

/// What makes one tensor, as the functions below hand it on.
struct Subject {
  const Document& document;
  const Limits& limits;
  std::string name;
};

[[noreturn]] void refuse(const Subject& subject, const std::string& what) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("tensor '{}': {}", printable(subject.name), what),
              subject.name);
}

[[noreturn]] void refuse_kind(const Subject& subject, std::string_view kind) {
  throw Error(ErrorCode::Unsupported,
              fmt::format("not yet supported: {} (tensor '{}')", kind, printable(subject.name)),
              subject.name);
}

std::string_view kind_text(Constructor function) {
  switch (function) {
    case Constructor::RebuildSparse:
      return "sparse tensors";
    case Constructor::RebuildQuantized:
      return "quantized tensors";
    case Constructor::RebuildMeta:
      return "meta tensors, which have no data";
    case Constructor::RebuildNested:
      return "nested tensors";
    case Constructor::RebuildWrapper:
      return "tensor subclasses that wrap other tensors";
    case Constructor::RebuildDeviceTensor:
      return "tensors that were saved as numpy arrays";
    default:
      return "tensors that refer to the constants of a TorchScript archive";
  }
}

std::string_view unwritable_text(const ElementType& type) {
  return type.name.starts_with('q') ? "quantized tensors" : "";
}

DType parse_dtype(const Subject& subject, const ElementType& type) {
  if (type.dtype) return *type.dtype;
  const std::string_view kind = unwritable_text(type);
  refuse_kind(subject, kind.empty() ? fmt::format("{} tensors", type.name) : std::string(kind));
}

std::vector<std::uint64_t> byte_strides(const Geometry& geometry, std::uint64_t element_bytes) {
  if (is_contiguous(geometry)) return {};
  std::vector<std::uint64_t> strides(geometry.strides.size());
  for (std::size_t i = 0; i < strides.size(); ++i) {
    strides[i] = geometry.shape[i] == 1 ? 0 : geometry.strides[i] * element_bytes;
  }
  return strides;
}

/// Two elements share a byte, which torch counts as one: the last dimension doubles.
void unpack_pairs(const Subject& subject, TensorEntry& entry) {
  if (entry.spec.shape.empty() || !entry.data.strides.empty()) {
    refuse_kind(subject, "float4 tensors that are not contiguous or have no dimension");
  }
  const auto doubled = checked_mul(entry.spec.shape.back(), 2);
  if (!doubled) refuse(subject, "its last dimension has 2^64 or more elements");
  entry.spec.shape.back() = *doubled;
}

bool has_elements(const Geometry& geometry) {
  return std::ranges::find(geometry.shape, 0U) == geometry.shape.end();
}

TensorEntry view_of(const Subject& subject, const Storage& storage, const ElementType& type,
                    const Geometry& geometry) {
  TensorEntry entry;
  entry.spec.dtype = parse_dtype(subject, type);
  check_bounds(geometry, type.bytes, storage, subject.name);
  check_expansion(geometry, type.bytes, storage, subject.name, subject.limits);
  entry.spec.name = subject.name;
  entry.spec.shape = geometry.shape;
  entry.data.source = storage.source;
  entry.data.offset = storage.offset + (has_elements(geometry) ? geometry.offset * type.bytes : 0);
  entry.data.strides = byte_strides(geometry, type.bytes);
  entry.data.transform = transform_of(type, storage.big_endian);
  if (entry.spec.dtype == DType::F4) unpack_pairs(subject, entry);
  return entry;
}

const Storage& get_storage(const Subject& subject, NodeId node) {
  if (const Storage* storage = subject.document.find_storage(node)) return *storage;
  refuse(subject, "its storage is none of this file's");
}

/// conj and neg: torch stores the bytes as they were and a note to change their sign.
void check_flags(const Subject& subject, std::span<const NodeId> arguments, std::size_t position) {
  if (arguments.size() <= position) return;
  const Graph& graph = subject.document.graph;
  for (const std::string_view flag : {"conj", "neg"}) {
    const NodeId value = find_entry(graph, arguments[position], flag);
    if (kind_of(graph, value) == Kind::Bool && graph.boolean(value)) {
      refuse_kind(subject, fmt::format("tensors with the {} flag", flag));
    }
  }
}

const ElementType& get_element_type(const Subject& subject, NodeId node) {
  const Graph& graph = subject.document.graph;
  if (constructor_of(graph, node) == Constructor::TorchDType) {
    if (const ElementType* type = find_element_type(graph.name(node))) return *type;
  }
  refuse(subject, fmt::format("{} is no dtype", printable(class_name(graph, node))));
}

/// (storage, offset, size, stride, ...); version 3 gives the dtype apart from the storage.
TensorEntry from_arguments(const Subject& subject, const Recipe& recipe, std::span<const NodeId> arguments) {
  const bool typed_apart = recipe.function == Constructor::RebuildTensorV3;
  if (arguments.size() < (typed_apart ? 7U : 4U)) {
    refuse(subject, fmt::format("made from {} arguments, {} needed", arguments.size(), typed_apart ? 7 : 4));
  }
  check_flags(subject, arguments, typed_apart ? 7 : 6);
  const Storage& storage = get_storage(subject, arguments[0]);
  const ElementType& type = typed_apart ? get_element_type(subject, arguments[6]) : *storage.type;
  const Geometry geometry = parse_geometry(subject.document.graph, arguments[1], arguments[2], arguments[3],
                                           subject.name, subject.limits);
  return view_of(subject, storage, type, geometry);
}

/// torch.FloatTensor() and a state of (storage, offset, size, stride), as before torch 0.2.
TensorEntry from_tensor_class(const Subject& subject, const Recipe& recipe) {
  const auto state = find_sequence(subject.document.graph, recipe.state);
  if (!state) refuse(subject, "a tensor object without a state of storage, offset, size and stride");
  return from_arguments(subject, recipe, *state);
}

TensorEntry from_storage(const Subject& subject, const Storage& storage) {
  const Geometry line{.offset = 0, .shape = {storage.bytes / storage.type->bytes}, .strides = {1}};
  return view_of(subject, storage, *storage.type, line);
}

/// Classes that hold parts of tensors and would be misread as containers of whole ones.
bool is_distributed_tensor(const Graph& graph, NodeId node) {
  if (!is_instance(graph, node)) return false;
  const NodeId callable = graph.callable(node);
  if (kind_of(graph, callable) != Kind::Global || !graph.module(callable).starts_with("torch.distributed"))
    return false;
  return graph.name(callable) == "ShardedTensor" || graph.name(callable) == "DTensor";
}

}  // namespace

bool is_tensor(const Document& document, pickle::NodeId node) {
  if (node == kNoNode) return false;
  return document.find_storage(node) != nullptr || is_distributed_tensor(document.graph, node) ||
         find_recipe(document.graph, node).has_value();
}

TensorEntry rebuild_tensor(const Document& document, pickle::NodeId node, std::string name,
                           const Limits& limits) {
  const Subject subject{document, limits, std::move(name)};
  if (const Storage* storage = document.find_storage(node)) return from_storage(subject, *storage);
  const auto recipe = find_recipe(document.graph, node);
  if (!recipe) refuse_kind(subject, "tensors that are spread over several processes");
  switch (recipe->function) {
    case Constructor::RebuildTensor:
    case Constructor::RebuildTensorV2:
    case Constructor::RebuildTensorV3:
      return from_arguments(
          subject, *recipe,
          find_sequence(document.graph, recipe->arguments).value_or(std::span<const NodeId>{}));
    case Constructor::TorchTensorClass:
      return from_tensor_class(subject, *recipe);
    default:
      refuse_kind(subject, kind_text(recipe->function));
  }
}

pickle::NodeId tensor_attributes(const Document& document, pickle::NodeId node) {
  const auto recipe = find_recipe(document.graph, node);
  return recipe ? recipe->attributes : kNoNode;
}

}  // namespace weighbridge::torch
