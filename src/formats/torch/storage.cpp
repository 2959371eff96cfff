#include "formats/torch/storage.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/torch/nodes.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::size_t kLongestKey = 64;
constexpr std::string_view kRecordSuffix = ".storage";

[[noreturn]] void refuse(const Graph& graph, NodeId node, const std::string& what) {
  const std::uint64_t offset = graph.offset(node);
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("persistent id: {} (pickle byte {})", what, offset),
              {}, offset);
}

bool is_key_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

/// torch.package and mobile archives name records with a suffix, and put it into the key.
std::string_view without_suffix(std::string_view key) {
  if (key.ends_with(kRecordSuffix)) key.remove_suffix(kRecordSuffix.size());
  return key;
}

std::string parse_key(const Graph& graph, NodeId id, NodeId node) {
  const auto text = find_text(graph, node);
  if (!text) refuse(graph, id, "the storage key is not a short string");
  if (text->empty() || text->size() > kLongestKey) {
    refuse(graph, id,
           fmt::format("the storage key has {} characters, 1 to {} needed", text->size(), kLongestKey));
  }
  if (!std::ranges::all_of(without_suffix(*text), is_key_character)) {
    refuse(
        graph, id,
        fmt::format("the storage key '{}' holds more than letters, digits, '_' and '-'", printable(*text)));
  }
  return std::string(*text);
}

const ElementType& parse_type(const Graph& graph, NodeId id, NodeId node) {
  const Constructor constructor = constructor_of(graph, node);
  if (constructor == Constructor::TorchStorage || constructor == Constructor::TorchUntypedStorage) {
    if (const ElementType* type = find_storage_type(graph.name(node))) return *type;
  }
  refuse(graph, id, fmt::format("{} is no storage class", printable(class_name(graph, node))));
}

std::uint64_t parse_count(const Graph& graph, NodeId id, NodeId node, const char* what) {
  const auto count = find_integer(graph, node);
  if (!count) refuse(graph, id, fmt::format("{} is not an integer", what));
  if (*count < 0) refuse(graph, id, fmt::format("{} is {}, which is negative", what, *count));
  return static_cast<std::uint64_t>(*count);
}

/// In packages a number, which stands for the record of that name.
std::string parse_key_of(IdStyle style, const Graph& graph, NodeId id, NodeId node) {
  if (style != IdStyle::Package || kind_of(graph, node) != Kind::Int) return parse_key(graph, id, node);
  const std::int64_t number = graph.integer(node);
  if (number < 0) refuse(graph, id, fmt::format("the storage key is {}, which is negative", number));
  return fmt::format("{}{}", number, kRecordSuffix);
}

StorageId parse_storage(IdStyle style, const Graph& graph, NodeId node, std::span<const NodeId> items) {
  StorageId result;
  result.type = &parse_type(graph, node, items[1]);
  result.key = parse_key_of(style, graph, node, items[2]);
  if (!find_text(graph, items[3])) refuse(graph, node, "the location is not a string");
  result.elements = parse_count(graph, node, items[4], "the number of elements");
  const auto bytes = checked_mul(result.elements, result.type->bytes);
  if (!bytes) refuse(graph, node, fmt::format("{} elements do not fit 64 bits of bytes", result.elements));
  result.bytes = *bytes;
  return result;
}

std::optional<StorageView> parse_view(const Graph& graph, NodeId node, NodeId metadata,
                                      const StorageId& storage) {
  if (kind_of(graph, metadata) == Kind::None) return std::nullopt;
  const auto items = find_sequence(graph, metadata);
  if (!items || items->size() != 3) refuse(graph, node, "view metadata is not (key, offset, size)");
  StorageView view{.key = parse_key(graph, node, (*items)[0]),
                   .offset = parse_count(graph, node, (*items)[1], "the offset of a storage view"),
                   .elements = parse_count(graph, node, (*items)[2], "the size of a storage view")};
  if (!range_fits(view.offset, view.elements, storage.elements)) {
    refuse(graph, node,
           fmt::format("storage view '{}' takes elements [{}, {}) of storage '{}', which has {}", view.key,
                       view.offset, view.offset + view.elements, storage.key, storage.elements));
  }
  return view;
}

class Collector {
 public:
  Collector(const Graph& graph, IdStyle style) : graph_(graph), style_(style) {}

  void add(NodeId node) {
    const auto items = find_sequence(graph_, graph_.persistent_id(node));
    if (!items || items->empty()) refuse(graph_, node, "not a tuple");
    const auto tag = find_text(graph_, items->front());
    if (tag == "module" && style_ == IdStyle::Legacy) return;
    if (tag == "reduce_package" && style_ == IdStyle::Package) return;
    if (tag != "storage") refuse(graph_, node, "the first item is not 'storage'");
    const std::size_t expected = style_ == IdStyle::Legacy ? 6 : 5;
    if (items->size() != expected) {
      refuse(graph_, node, fmt::format("{} items, {} needed", items->size(), expected));
    }
    add_storage(node, *items);
  }

  StorageIds take() && { return std::move(ids_); }

 private:
  void add_storage(NodeId node, std::span<const NodeId> items) {
    const StorageId found = parse_storage(style_, graph_, node, items);
    StorageUse use{.node = node, .storage = find_or_add(node, found), .view = std::nullopt};
    if (items.size() == 6) use.view = parse_view(graph_, node, items[5], found);
    if (use.view) check_view(node, found.key, *use.view);
    ids_.uses.push_back(std::move(use));
  }

  std::size_t find_or_add(NodeId node, const StorageId& found) {
    const auto [position, fresh] = ids_.by_key.try_emplace(found.key, ids_.storages.size());
    if (fresh) {
      ids_.storages.push_back(found);
      return position->second;
    }
    const StorageId& known = ids_.storages[position->second];
    if (known.type != found.type || known.elements != found.elements) {
      refuse(graph_, node,
             fmt::format("storage '{}' is {} x {} here and {} x {} before", found.key, found.elements,
                         found.type->name, known.elements, known.type->name));
    }
    return position->second;
  }

  void check_view(NodeId node, const std::string& root, const StorageView& view) {
    const auto [position, fresh] = views_.try_emplace(view.key, ViewOf{root, view});
    if (fresh || position->second == ViewOf{root, view}) return;
    refuse(graph_, node, fmt::format("storage view '{}' stands for two different ranges", view.key));
  }

  struct ViewOf {
    std::string root;
    StorageView view;
    friend bool operator==(const ViewOf&, const ViewOf&) = default;
  };

  const Graph& graph_;
  IdStyle style_;
  StorageIds ids_;
  std::map<std::string, ViewOf> views_;
};

Storage cut(const Storage& whole, const StorageView& view) {
  Storage part = whole;
  part.offset += view.offset * whole.type->bytes;
  part.bytes = view.elements * whole.type->bytes;
  part.label = fmt::format("view '{}' of {}", view.key, whole.label);
  return part;
}

}  // namespace

StorageIds collect_storage_ids(const pickle::Graph& graph, IdStyle style) {
  Collector collector(graph, style);
  for (NodeId node = 0; node < graph.size(); ++node) {
    if (graph.kind(node) == Kind::Persistent) collector.add(node);
  }
  return std::move(collector).take();
}

void bind_storages(Document& document, const StorageIds& ids, std::vector<Storage> storages) {
  const std::size_t first = document.storages.size();
  for (Storage& storage : storages) document.storages.push_back(std::move(storage));
  for (const StorageUse& use : ids.uses) {
    std::size_t index = first + use.storage;
    if (use.view) {
      document.storages.push_back(cut(document.storages[index], *use.view));
      index = document.storages.size() - 1;
    }
    document.storage_of.emplace(use.node, index);
  }
}

}  // namespace weighbridge::torch
