#include "formats/torch/tar_tables.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "base/text.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/report.hpp"

namespace weighbridge::torch {
namespace {

/// One member, read from front to back: pickles and plain numbers.
class Table {
 public:
  Table(const char* name, SourcePtr source, const Limits& limits, Findings& findings)
      : name_(name), source_(std::move(source)), limits_(limits), findings_(findings) {}

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("tar member '{}': {} (byte {})", name_, what, at_), name_, at_);
  }

  pickle::Outcome next_pickle() {
    pickle::Outcome outcome = run_reported(source_, at_, limits_, findings_);
    at_ = outcome.end;
    return outcome;
  }

  template <typename T>
  T next_number() {
    std::array<std::byte, sizeof(T)> bytes;
    if (!range_fits(at_, bytes.size(), source_->size())) refuse("it ends within a number");
    source_->read_at(at_, bytes);
    at_ += bytes.size();
    return load_le<T>(bytes.data());
  }

  std::uint64_t next_size(const char* what) {
    const auto number = next_number<std::int64_t>();
    if (number < 0) refuse(fmt::format("{} is {}, which is negative", what, number));
    return static_cast<std::uint64_t>(number);
  }

  std::uint64_t next_count() {
    const pickle::Outcome outcome = next_pickle();
    const auto count = find_integer(outcome.graph, outcome.root);
    if (!count || *count < 0) refuse("it does not begin with a count");
    if (static_cast<std::uint64_t>(*count) <= limits_.tensors) return static_cast<std::uint64_t>(*count);
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("tar member '{}': {} entries, the limit is {}", name_, *count, limits_.tensors),
                name_);
  }

  /// Steps over that many bytes and says where they began.
  std::uint64_t skip(std::uint64_t bytes) {
    if (!range_fits(at_, bytes, source_->size())) {
      refuse(fmt::format("{} bytes needed, {} are left", bytes, source_->size() - at_));
    }
    return std::exchange(at_, at_ + bytes);
  }

  void check_end() const {
    if (at_ != source_->size()) refuse(fmt::format("{} bytes more than its entries", source_->size() - at_));
  }

  const SourcePtr& source() const noexcept { return source_; }
  const Limits& limits() const noexcept { return limits_; }

 private:
  const char* name_;
  SourcePtr source_;
  const Limits& limits_;
  Findings& findings_;
  std::uint64_t at_ = 0;
};

std::span<const NodeId> get_tuple(const Table& table, const Graph& graph, NodeId node, std::size_t items,
                                  const char* what) {
  const auto found = find_sequence(graph, node);
  if (!found || found->size() != items) table.refuse(fmt::format("{} is no tuple of {}", what, items));
  return *found;
}

std::int64_t get_integer(const Table& table, const Graph& graph, NodeId node, const char* what) {
  const auto found = find_integer(graph, node);
  if (!found) table.refuse(fmt::format("{} is no integer", what));
  return *found;
}

std::uint64_t get_size(const Table& table, const Graph& graph, NodeId node, const char* what) {
  const std::int64_t found = get_integer(table, graph, node, what);
  if (found < 0) table.refuse(fmt::format("{} is {}, which is negative", what, found));
  return static_cast<std::uint64_t>(found);
}

/// torch.FloatStorage, or torch.FloatTensor for the storage below it.
const ElementType& get_type(const Table& table, const Graph& graph, NodeId node, Constructor constructor,
                            std::string_view suffix) {
  if (constructor_of(graph, node) == constructor && graph.name(node).ends_with(suffix)) {
    const std::string_view name = graph.name(node);
    const auto storage = fmt::format("{}Storage", name.substr(0, name.size() - suffix.size()));
    if (const ElementType* type = find_storage_type(storage)) return *type;
  }
  table.refuse(fmt::format("{} is no class of a {}", printable(class_name(graph, node)), suffix));
}

class StorageTable {
 public:
  StorageTable(Table table, bool big_endian, TarTables& tables)
      : table_(std::move(table)), big_endian_(big_endian), tables_(tables) {}

  void run() {
    const std::uint64_t count = table_.next_count();
    for (std::uint64_t i = 0; i < count; ++i) parse_storage();
    parse_views();
    table_.check_end();
  }

 private:
  void parse_storage() {
    const pickle::Outcome outcome = table_.next_pickle();
    const Graph& graph = outcome.graph;
    const auto items = get_tuple(table_, graph, outcome.root, 3, "a storage");
    const std::int64_t key = get_integer(table_, graph, items[0], "the key of a storage");
    const ElementType& type = get_type(table_, graph, items[2], Constructor::TorchStorage, "Storage");
    const auto bytes = checked_mul(table_.next_size("a number of elements"), type.bytes);
    if (!bytes) table_.refuse("the size of a storage does not fit 64 bits");
    add(key, {.source = table_.source(),
              .offset = table_.skip(*bytes),
              .bytes = *bytes,
              .type = &type,
              .big_endian = big_endian_,
              .label = fmt::format("storage '{}'", key)});
  }

  void add(std::int64_t key, Storage storage) {
    if (!tables_.storage_of.try_emplace(key, tables_.storages.size()).second) {
      table_.refuse(fmt::format("storage '{}' is there twice", key));
    }
    tables_.storages.push_back(std::move(storage));
  }

  /// A list of (key, key of the storage below, offset, elements).
  void parse_views() {
    const pickle::Outcome outcome = table_.next_pickle();
    const auto views = find_sequence(outcome.graph, outcome.root);
    if (!views) table_.refuse("the views of storages are no list");
    for (const NodeId view : *views) parse_view(outcome.graph, view);
  }

  void parse_view(const Graph& graph, NodeId node) {
    const auto items = get_tuple(table_, graph, node, 4, "a view of a storage");
    const std::int64_t key = get_integer(table_, graph, items[0], "the key of a view");
    const std::int64_t root = get_integer(table_, graph, items[1], "the storage of a view");
    const std::uint64_t offset = get_size(table_, graph, items[2], "the offset of a view");
    const std::uint64_t elements = get_size(table_, graph, items[3], "the size of a view");
    const auto below = tables_.storage_of.find(root);
    if (below == tables_.storage_of.end()) {
      table_.refuse(fmt::format("view '{}' is of storage '{}', which is not there", key, root));
    }
    Storage part = tables_.storages[below->second];
    const std::uint64_t all = part.bytes / part.type->bytes;
    if (!range_fits(offset, elements, all)) {
      table_.refuse(fmt::format("view '{}' takes {} elements from {} on of storage '{}', which has {}", key,
                                elements, offset, root, all));
    }
    part.offset += offset * part.type->bytes;
    part.bytes = elements * part.type->bytes;
    part.label = fmt::format("view '{}' of {}", key, part.label);
    add(key, std::move(part));
  }

  Table table_;
  bool big_endian_;
  TarTables& tables_;
};

class TensorTable {
 public:
  TensorTable(Table table, TarTables& tables) : table_(std::move(table)), tables_(tables) {}

  void run() {
    const std::uint64_t count = table_.next_count();
    for (std::uint64_t i = 0; i < count; ++i) parse_tensor();
    table_.check_end();
  }

 private:
  void parse_tensor() {
    const pickle::Outcome outcome = table_.next_pickle();
    const Graph& graph = outcome.graph;
    const auto items = get_tuple(table_, graph, outcome.root, 3, "a tensor");
    const std::int64_t key = get_integer(table_, graph, items[0], "the key of a tensor");
    const std::size_t storage = get_storage(graph, key, items[1]);
    const ElementType& type = get_type(table_, graph, items[2], Constructor::TorchTensorClass, "Tensor");
    if (&type != tables_.storages[storage].type) {
      table_.refuse(fmt::format("tensor '{}' is of {}, its storage of {}", key, type.name,
                                tables_.storages[storage].type->name));
    }
    const bool fresh = !tables_.storage_of.contains(key) &&
                       tables_.tensors.try_emplace(key, TableTensor{storage, parse_geometry()}).second;
    if (!fresh) table_.refuse(fmt::format("key '{}' is there twice", key));
  }

  std::size_t get_storage(const Graph& graph, std::int64_t tensor, NodeId node) const {
    const std::int64_t key = get_integer(table_, graph, node, "the storage of a tensor");
    const auto found = tables_.storage_of.find(key);
    if (found != tables_.storage_of.end()) return found->second;
    table_.refuse(fmt::format("tensor '{}' is of storage '{}', which is not there", tensor, key));
  }

  Geometry parse_geometry() {
    const auto rank = table_.next_number<std::int32_t>();
    if (rank < 0 || static_cast<std::uint32_t>(rank) > table_.limits().rank) {
      table_.refuse(fmt::format("a tensor of {} dimensions, 0 to {} needed", rank, table_.limits().rank));
    }
    table_.skip(4);  // the upper half of what was an eight-byte number
    Geometry geometry;
    for (int i = 0; i < rank; ++i) geometry.shape.push_back(table_.next_size("a dimension"));
    for (int i = 0; i < rank; ++i) geometry.strides.push_back(table_.next_size("a stride"));
    geometry.offset = table_.next_size("the offset of a tensor");
    return geometry;
  }

  Table table_;
  TarTables& tables_;
};

}  // namespace

TarTables parse_tar_tables(const SourcePtr& storages, const SourcePtr& tensors, bool big_endian,
                           const Limits& limits, Findings& findings) {
  TarTables tables;
  StorageTable(Table("storages", storages, limits, findings), big_endian, tables).run();
  TensorTable(Table("tensors", tensors, limits, findings), tables).run();
  return tables;
}

}  // namespace weighbridge::torch
