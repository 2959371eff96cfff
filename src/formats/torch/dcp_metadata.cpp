#include "formats/torch/dcp_metadata.hpp"

#include <map>
#include <optional>
#include <tuple>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "formats/torch/nodes.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::string_view kModule = "torch.distributed.checkpoint.metadata";
constexpr std::string_view kStorageModule = "torch.distributed.checkpoint.filesystem";

/// An instance of a class, by its exact name.
bool is_instance_of(const Graph& graph, NodeId node, std::string_view module, std::string_view name) {
  if (!is_instance(graph, node)) return false;
  const NodeId type = graph.callable(node);
  return kind_of(graph, type) == Kind::Global && graph.module(type) == module && graph.name(type) == name;
}

/// Where a piece is stored: by name and by its first element, if it is one of several.
using Index = std::pair<std::string, std::optional<Shape>>;

class Parser {
 public:
  Parser(const Document& document, const Limits& limits)
      : graph_(document.graph), root_(document.root), limits_(limits) {}

  DcpMetadata run() {
    parse_storage();
    for_each_entry(get_field(root_, "state_dict_metadata"),
                   [this](NodeId key, NodeId value) { parse_item(key, value); });
    return std::move(metadata_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::MalformedCheckpoint, fmt::format("'{}': {}", printable(subject_), what), subject_);
  }

  NodeId get_field(NodeId instance, std::string_view field) const {
    const NodeId value = find_entry(graph_, graph_.state(instance), field);
    if (value == kNoNode) refuse(fmt::format("its metadata has no field '{}'", field));
    return value;
  }

  template <typename Visit>
  void for_each_entry(NodeId dict, const Visit& visit) const {
    if (kind_of(graph_, dict) != Kind::Dict) refuse("its metadata is no dict");
    const auto items = graph_.items(dict);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) visit(items[i], items[i + 1]);
  }

  std::string get_text(NodeId node, std::string_view what) const {
    const auto text = find_text(graph_, node);
    if (!text || text->size() > limits_.name_bytes || find_invalid_utf8(*text)) {
      refuse(fmt::format("its {} is no text", what));
    }
    return std::string(*text);
  }

  std::uint64_t get_number(NodeId node, std::string_view what) const {
    const auto number = find_integer(graph_, node);
    if (!number || *number < 0) refuse(fmt::format("its {} is no number from 0 on", what));
    return static_cast<std::uint64_t>(*number);
  }

  /// torch.Size, which is a call over a tuple.
  Shape get_shape(NodeId node, std::string_view what) const {
    if (callable_of(graph_, node) == Constructor::TorchSize && arguments_of(graph_, node).size() == 1) {
      node = arguments_of(graph_, node)[0];
    }
    const auto items = find_sequence(graph_, node);
    if (!items || items->size() > limits_.rank) refuse(fmt::format("its {} are no tuple", what));
    Shape shape;
    for (const NodeId item : *items) shape.push_back(get_number(item, what));
    return shape;
  }

  /// MetadataIndex -> _StorageInfo.
  void parse_storage() {
    subject_ = "storage_data";
    for_each_entry(get_field(root_, "storage_data"), [this](NodeId key, NodeId value) {
      if (!is_instance_of(graph_, key, kModule, "MetadataIndex") ||
          !is_instance_of(graph_, value, kStorageModule, "_StorageInfo")) {
        refuse("holds something else than places of pieces");
      }
      Index index{get_text(get_field(key, "fqn"), "name"), std::nullopt};
      const NodeId offset = find_entry(graph_, graph_.state(key), "offset");  // absent for objects
      if (kind_of(graph_, offset) != Kind::None) index.second = get_shape(offset, "offsets");
      check_untransformed(value);
      ranges_.insert_or_assign(std::move(index),
                               DcpRange{.file = get_text(get_field(value, "relative_path"), "file"),
                                        .offset = get_number(get_field(value, "offset"), "offset"),
                                        .bytes = get_number(get_field(value, "length"), "length")});
    });
  }

  /// Newer versions can compress or encrypt what they store.
  void check_untransformed(NodeId info) const {
    const NodeId transforms = find_entry(graph_, graph_.state(info), "transform_descriptors");
    if (transforms == kNoNode || kind_of(graph_, transforms) == Kind::None) return;
    const auto items = find_sequence(graph_, transforms);
    if (items && items->empty()) return;
    throw Error(ErrorCode::Unsupported, "distributed checkpoints whose pieces were transformed when stored",
                subject_);
  }

  const DcpRange& get_range(const std::optional<Shape>& offsets) const {
    auto found = ranges_.find({subject_, offsets});
    // A tensor in one piece may be filed without its offsets.
    if (found == ranges_.end()) found = ranges_.find({subject_, std::nullopt});
    if (found == ranges_.end()) refuse("a piece of it is stored nowhere");
    return found->second;
  }

  void parse_item(NodeId key, NodeId value) {
    subject_ = get_text(key, "name");
    if (metadata_.tensors.size() + metadata_.objects.size() >= limits_.tensors) {
      throw Error(ErrorCode::LimitExceeded, fmt::format("more than {} tensors", limits_.tensors), subject_);
    }
    if (is_instance_of(graph_, value, kModule, "BytesStorageMetadata")) {
      metadata_.objects.push_back({.name = subject_, .range = get_range(std::nullopt)});
    } else if (is_instance_of(graph_, value, kModule, "TensorStorageMetadata")) {
      parse_tensor(value);
    } else {
      refuse("is neither a tensor nor an object");
    }
  }

  void parse_tensor(NodeId value) {
    DcpTensor tensor;
    tensor.name = subject_;
    tensor.type = &get_type(get_field(value, "properties"));
    tensor.shape = get_shape(get_field(value, "size"), "sizes");
    const auto chunks = find_sequence(graph_, get_field(value, "chunks"));
    if (!chunks) refuse("its chunks are no list");
    for (const NodeId chunk : *chunks) tensor.chunks.push_back(parse_chunk(chunk));
    metadata_.tensors.push_back(std::move(tensor));
  }

  DcpChunk parse_chunk(NodeId chunk) const {
    if (!is_instance_of(graph_, chunk, kModule, "ChunkStorageMetadata")) refuse("a chunk is something else");
    DcpChunk result;
    result.offsets = get_shape(get_field(chunk, "offsets"), "offsets");
    result.sizes = get_shape(get_field(chunk, "sizes"), "sizes");
    result.range = get_range(result.offsets);
    return result;
  }

  /// TensorProperties has a state of its own: (dtype, layout, requires_grad, memory format, pinned).
  const ElementType& get_type(NodeId properties) const {
    const NodeId state = is_instance(graph_, properties) ? graph_.state(properties) : kNoNode;
    const auto items = find_sequence(graph_, state);
    if (items && !items->empty() && constructor_of(graph_, (*items)[0]) == Constructor::TorchDType) {
      if (const ElementType* type = find_element_type(graph_.name((*items)[0]))) return *type;
    }
    refuse("its properties name no dtype");
  }

  const Graph& graph_;
  NodeId root_;
  const Limits& limits_;
  std::string subject_;
  std::map<Index, DcpRange> ranges_;
  DcpMetadata metadata_;
};

}  // namespace

bool is_dcp_metadata(const Document& document) {
  return is_instance_of(document.graph, document.root, kModule, "Metadata");
}

DcpMetadata parse_dcp_metadata(const Document& document, const Limits& limits) {
  return Parser(document, limits).run();
}

}  // namespace weighbridge::torch
