#include "formats/numpy/dtype.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/checked.hpp"
#include "base/text.hpp"

namespace weighbridge::numpy {
namespace {

[[noreturn]] void overflow(const Shape& shape, std::uint64_t element_bytes) {
  throw Error(ErrorCode::ValidationOverflow, fmt::format("shape {} of {} bytes each has 2^64 or more bytes",
                                                         shape_text(shape), element_bytes));
}

void check_field(const Field& field, std::uint64_t bytes) {
  if (range_fits(field.offset, field.type.bytes, bytes)) return;
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("the field '{}' has {} bytes at byte {} of an element of {} bytes",
                          printable(field.name), field.type.bytes, field.offset, bytes));
}

Leaf leaf_of_field(const Field& field, const Leaf& inner) {
  Leaf leaf = inner;
  leaf.path = inner.path.empty() ? field.name : fmt::format("{}.{}", field.name, inner.path);
  leaf.offset += field.offset;
  return leaf;
}

std::string tuple_text(const Shape& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

std::string leaf_text(const Leaf& leaf) {
  const std::string type = type_text(leaf.type);
  if (leaf.shape.empty()) return fmt::format("('{}', '{}')", leaf.path, type);
  return fmt::format("('{}', '{}', {})", leaf.path, type, tuple_text(leaf.shape));
}

}  // namespace

DataType plain_type(ScalarType type) {
  DataType result{.bytes = type.bytes};
  result.leaves.push_back({.type = std::move(type)});
  return result;
}

DataType structure_type(const std::vector<Field>& fields, std::uint64_t bytes) {
  DataType result{.bytes = bytes, .structured = true};
  for (const Field& field : fields) {
    check_field(field, bytes);
    if (result.leaves.size() + field.type.leaves.size() > kMostLeaves) {
      throw Error(ErrorCode::LimitExceeded, fmt::format("a structure of more than {} fields", kMostLeaves));
    }
    for (const Leaf& inner : field.type.leaves) result.leaves.push_back(leaf_of_field(field, inner));
  }
  return result;
}

DataType sub_array_type(DataType element, const Shape& shape) {
  const std::vector<std::uint64_t> strides = row_major_strides(shape, element.bytes);
  element.bytes = byte_count(shape, element.bytes);
  for (Leaf& leaf : element.leaves) {
    leaf.shape.insert(leaf.shape.begin(), shape.begin(), shape.end());
    leaf.strides.insert(leaf.strides.begin(), strides.begin(), strides.end());
  }
  return element;
}

std::uint64_t byte_count(const Shape& shape, std::uint64_t element_bytes) {
  std::uint64_t bytes = element_bytes;
  for (const std::uint64_t size : shape) {
    const auto product = checked_mul(bytes, size);
    if (!product) overflow(shape, element_bytes);
    bytes = *product;
  }
  return bytes;
}

std::vector<std::uint64_t> row_major_strides(const Shape& shape, std::uint64_t element_bytes) {
  std::vector<std::uint64_t> strides(shape.size());
  std::uint64_t step = element_bytes;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    const auto product = checked_mul(step, shape[i]);
    if (!product) overflow(shape, element_bytes);
    step = *product;
  }
  return strides;
}

std::vector<std::uint64_t> column_major_strides(const Shape& shape, std::uint64_t element_bytes) {
  const Shape reversed(shape.rbegin(), shape.rend());
  auto strides = row_major_strides(reversed, element_bytes);
  std::ranges::reverse(strides);
  return strides;
}

bool holds_objects(const DataType& type) noexcept {
  return std::ranges::any_of(type.leaves, [](const Leaf& leaf) { return leaf.type.kind == 'O'; });
}

std::string type_text(const DataType& type) {
  if (!type.structured && type.leaves.size() == 1) {
    const Leaf& leaf = type.leaves.front();
    if (leaf.shape.empty()) return type_text(leaf.type);
    return fmt::format("('{}', {})", type_text(leaf.type), tuple_text(leaf.shape));
  }
  std::vector<std::string> fields;
  fields.reserve(type.leaves.size());
  for (const Leaf& leaf : type.leaves) fields.push_back(leaf_text(leaf));
  return fmt::format("[{}]", fmt::join(fields, ", "));
}

}  // namespace weighbridge::numpy
