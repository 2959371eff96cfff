#include "formats/torch/sparse_layout.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/index_reader.hpp"

namespace weighbridge::torch {
namespace {

/// Indices that repeat bytes of their storage could be far more than the file is large.
constexpr std::uint64_t kFewEntries = std::uint64_t{1} << 20;

std::span<const std::uint64_t> dims(const Operand& operand) { return operand.shape; }

void check_shape(const Subject& subject, std::string_view what, std::span<const std::uint64_t> found,
                 std::span<const std::uint64_t> needed) {
  if (std::ranges::equal(found, needed)) return;
  refuse(subject,
         fmt::format("its {} have shape {}, {} needed", what, shape_text(found), shape_text(needed)));
}

void check_entries(const Subject& subject, const SparseParts& parts, std::uint64_t entries) {
  const std::uint64_t input = parts.first.storage_bytes + parts.values.storage_bytes +
                              (parts.second ? parts.second->storage_bytes : 0);
  if (entries <= std::max(kFewEntries, input)) return;
  refuse(subject, ErrorCode::LimitExceeded,
         fmt::format("{} sparse values from {} bytes of input", entries, input));
}

Shape concatenated(std::initializer_list<std::span<const std::uint64_t>> parts) {
  Shape shape;
  for (const auto part : parts) shape.insert(shape.end(), part.begin(), part.end());
  return shape;
}

/// Sorted by where the values go; refused when two meet that cannot be added.
std::vector<Slot> ordered(std::vector<Slot> slots, bool can_add, const std::string& name) {
  if (!std::ranges::is_sorted(slots)) std::ranges::sort(slots);
  const auto same = std::ranges::adjacent_find(slots, {}, &Slot::key);
  if (same != slots.end() && !can_add) {
    throw Error(
        ErrorCode::Unsupported,
        fmt::format("tensor '{}': two values at one place, and no addition for their dtype", printable(name)),
        name);
  }
  return slots;
}

// --- COO: indices [dimensions, values], values [values, ...dense dimensions].

struct Coo {
  Shape sizes;  ///< Of the sparse dimensions.
  Content indices;
  bool narrow;  ///< int32
  std::uint64_t entries;
  std::string name;
};

std::vector<Slot> load_coo(const Coo& coo) {
  std::vector<Slot> slots(coo.entries);
  for (std::uint64_t i = 0; i < coo.entries; ++i) slots[i].entry = i;
  IndexReader reader(coo.indices, coo.narrow, coo.name, "index");
  for (const std::uint64_t size : coo.sizes) {
    for (Slot& slot : slots) slot.key = slot.key * size + reader.next_below(size);
  }
  return slots;
}

DensePlan plan_coo(const Subject& subject, const SparseParts& parts) {
  const Operand& indices = parts.first;
  if (indices.shape.size() != 2) refuse(subject, "its indices do not have two dimensions");
  const std::uint64_t sparse = indices.shape[0];
  const std::uint64_t entries = indices.shape[1];
  if (sparse > parts.shape.size()) {
    refuse(subject, fmt::format("its indices have {} dimensions, shape {} has {}", sparse,
                                shape_text(parts.shape), parts.shape.size()));
  }
  const auto sizes = std::span(parts.shape).first(sparse);
  const auto dense = std::span(parts.shape).subspan(sparse);
  const Shape count = {entries};
  check_shape(subject, "values", dims(parts.values), concatenated({count, dense}));
  check_entries(subject, parts, entries);

  DensePlan plan;
  plan.block_width = count_of(subject, dense);
  plan.blocks_across = count_of(subject, sizes);
  const Coo coo{.sizes = Shape(sizes.begin(), sizes.end()),
                .indices = Content(indices),
                .narrow = indices.type->bytes == 4,
                .entries = entries,
                .name = subject.name};
  const bool can_add = find_accumulate(*parts.values.type) != nullptr;
  plan.load = [coo, can_add] { return ordered(load_coo(coo), can_add, coo.name); };
  return plan;
}

// --- CSR, CSC, BSR, BSC: compressed [...batch, lines + 1], plain [...batch, values].

struct Compressed {
  Content compressed;
  Content plain;
  bool compressed_narrow;
  bool plain_narrow;
  bool by_rows;  ///< Lines are rows (of blocks), otherwise columns.
  std::uint64_t batches = 1;
  std::uint64_t lines = 0;
  std::uint64_t across = 0;   ///< Places in a line.
  std::uint64_t entries = 0;  ///< Of one batch.
  std::string name;
};

std::vector<Slot> load_compressed(const Compressed& tensor) {
  std::vector<Slot> slots;
  slots.reserve(tensor.batches * tensor.entries);
  IndexReader borders(tensor.compressed, tensor.compressed_narrow, tensor.name, "compressed index");
  IndexReader places(tensor.plain, tensor.plain_narrow, tensor.name, "plain index");
  for (std::uint64_t batch = 0; batch < tensor.batches; ++batch) {
    std::uint64_t border = borders.next_exactly(0);
    for (std::uint64_t line = 0; line < tensor.lines; ++line) {
      const std::uint64_t end = line + 1 == tensor.lines ? borders.next_exactly(tensor.entries)
                                                         : borders.next_within(border, tensor.entries);
      for (; border < end; ++border) {
        const std::uint64_t place = places.next_below(tensor.across);
        const std::uint64_t key = tensor.by_rows ? (batch * tensor.lines + line) * tensor.across + place
                                                 : (batch * tensor.across + place) * tensor.lines + line;
        slots.push_back({.key = key, .entry = slots.size()});
      }
    }
  }
  return slots;
}

/// Rows and columns of one block; 1 and 1 for layouts without blocks.
struct Block {
  std::uint64_t rows = 1;
  std::uint64_t columns = 1;
};

Block block_of(const Subject& subject, const SparseParts& parts, std::size_t batch_dims) {
  if (parts.layout != "sparse_bsr" && parts.layout != "sparse_bsc") return {};
  const Shape& values = parts.values.shape;
  if (values.size() < batch_dims + 3) refuse(subject, "its values have no dimensions for blocks");
  const Block block{.rows = values[batch_dims + 1], .columns = values[batch_dims + 2]};
  const std::uint64_t rows = parts.shape[batch_dims];
  const std::uint64_t columns = parts.shape[batch_dims + 1];
  if (block.rows == 0 || block.columns == 0 || rows % block.rows != 0 || columns % block.columns != 0) {
    refuse(subject,
           fmt::format("blocks of {} x {} do not divide {} x {}", block.rows, block.columns, rows, columns));
  }
  return block;
}

/// The shape of each part follows from the others; all are compared before anything is computed.
void check_parts(const Subject& subject, const SparseParts& parts, std::size_t batch_dims, const Block& block,
                 std::uint64_t lines) {
  const auto batch = std::span(parts.shape).first(batch_dims);
  const auto dense = std::span(parts.shape).subspan(batch_dims + 2);
  const Shape entries = {parts.second->shape.empty() ? 0 : parts.second->shape.back()};
  const Shape borders = {lines + 1};
  const Shape blocks = {block.rows, block.columns};
  const bool blocked = parts.layout == "sparse_bsr" || parts.layout == "sparse_bsc";
  check_shape(subject, "compressed indices", dims(parts.first), concatenated({batch, borders}));
  check_shape(subject, "plain indices", dims(*parts.second), concatenated({batch, entries}));
  check_shape(
      subject, "values", dims(parts.values),
      blocked ? concatenated({batch, entries, blocks, dense}) : concatenated({batch, entries, dense}));
}

DensePlan plan_compressed(const Subject& subject, const SparseParts& parts) {
  if (parts.first.shape.empty() || parts.shape.size() < parts.first.shape.size() + 1) {
    refuse(subject, fmt::format("compressed indices of shape {} for a tensor of shape {}",
                                shape_text(parts.first.shape), shape_text(parts.shape)));
  }
  const std::size_t batch_dims = parts.first.shape.size() - 1;
  const Block block = block_of(subject, parts, batch_dims);
  const std::uint64_t rows = parts.shape[batch_dims] / block.rows;
  const std::uint64_t columns = parts.shape[batch_dims + 1] / block.columns;
  const bool by_rows = parts.layout == "sparse_csr" || parts.layout == "sparse_bsr";
  check_parts(subject, parts, batch_dims, block, by_rows ? rows : columns);

  Compressed tensor{.compressed = Content(parts.first),
                    .plain = Content(*parts.second),
                    .compressed_narrow = parts.first.type->bytes == 4,
                    .plain_narrow = parts.second->type->bytes == 4,
                    .by_rows = by_rows,
                    .batches = count_of(subject, std::span(parts.shape).first(batch_dims)),
                    .lines = by_rows ? rows : columns,
                    .across = by_rows ? columns : rows,
                    .entries = parts.second->shape.back(),
                    .name = subject.name};
  check_entries(subject, parts, times(subject, tensor.batches, tensor.entries));

  DensePlan plan;
  plan.block_rows = block.rows;
  plan.block_width =
      times(subject, block.columns, count_of(subject, std::span(parts.shape).subspan(batch_dims + 2)));
  plan.blocks_across = columns;
  const bool can_add = find_accumulate(*parts.values.type) != nullptr;
  plan.load = [tensor, can_add] { return ordered(load_compressed(tensor), can_add, tensor.name); };
  return plan;
}

void check_index_type(const Subject& subject, const Operand& indices) {
  if (indices.type->name == "int64" || indices.type->name == "int32") return;
  refuse(subject, fmt::format("its indices are {}, not int64 or int32", indices.type->name));
}

}  // namespace

DensePlan plan_dense(const Subject& subject, const SparseParts& parts) {
  check_index_type(subject, parts.first);
  if (parts.second) check_index_type(subject, *parts.second);
  DensePlan plan = parts.second ? plan_compressed(subject, parts) : plan_coo(subject, parts);
  plan.bytes = times(subject, count_of(subject, parts.shape), parts.values.type->bytes);
  plan.add = find_accumulate(*parts.values.type);
  return plan;
}

}  // namespace weighbridge::torch
