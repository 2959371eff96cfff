#include "formats/numpy/array.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"

namespace weighbridge::numpy {
namespace {

bool is_number(const Leaf& leaf) noexcept {
  return find_dtype(leaf.type).has_value() || is_complex(leaf.type);
}

/// Strides as a TensorEntry has them: none where the elements lie one after another.
std::vector<std::uint64_t> tensor_strides(const Shape& shape, std::vector<std::uint64_t> strides,
                                          std::uint64_t element_bytes) {
  if (std::ranges::find(shape, 0U) != shape.end()) return {};
  std::uint64_t expected = element_bytes;
  bool contiguous = true;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) {
      strides[i] = 0;
      continue;
    }
    contiguous = contiguous && strides[i] == expected;
    expected *= shape[i];
  }
  return contiguous ? std::vector<std::uint64_t>{} : strides;
}

/// Where one leaf of an array lies; a part of complex numbers is a view of its own.
struct View {
  std::string name;
  DType dtype = DType::F32;
  std::uint64_t element_bytes = 0;
  std::uint64_t offset = 0;
  Transform transform = Transform::None;
};

TensorEntry entry_of(const Array& array, const Leaf& leaf, const View& view) {
  TensorEntry entry;
  entry.spec = {.name = view.name, .dtype = view.dtype, .shape = array.shape};
  entry.spec.shape.insert(entry.spec.shape.end(), leaf.shape.begin(), leaf.shape.end());
  std::vector<std::uint64_t> strides = array.strides;
  strides.insert(strides.end(), leaf.strides.begin(), leaf.strides.end());
  entry.data = {.source = array.source,
                .offset = array.bytes == 0 ? array.offset : array.offset + leaf.offset + view.offset,
                .strides = tensor_strides(entry.spec.shape, std::move(strides), view.element_bytes),
                .transform = view.transform};
  return entry;
}

/// The real and the imaginary half of each number.
void add_parts(std::vector<TensorEntry>& entries, const Array& array, const Leaf& leaf,
               const std::string& name) {
  const std::uint64_t half = leaf.type.bytes / 2;
  const DType dtype = half == 4 ? DType::F32 : DType::F64;
  const Transform transform = transform_of(leaf.type);
  entries.push_back(entry_of(array, leaf, {name + ".real", dtype, half, 0, transform}));
  entries.push_back(entry_of(array, leaf, {name + ".imag", dtype, half, half, transform}));
}

DType dtype_of(const Leaf& leaf, const OpenOptions& options) {
  const auto dtype = find_dtype(leaf.type);
  if (!dtype) {
    throw Error(ErrorCode::Unsupported,
                "complex128 has no type in a safetensors file; split complex numbers (--complex split)");
  }
  return *dtype == DType::U16 && options.paddle_bf16 ? DType::BF16 : *dtype;
}

void add_leaf(std::vector<TensorEntry>& entries, const Array& array, const Leaf& leaf,
              const std::string& array_name, const OpenOptions& options) {
  const std::string name = leaf.path.empty() ? array_name : fmt::format("{}.{}", array_name, leaf.path);
  if (is_complex(leaf.type) && options.split_complex) return add_parts(entries, array, leaf, name);
  const View view{name, dtype_of(leaf, options), leaf.type.bytes, 0, transform_of(leaf.type)};
  entries.push_back(entry_of(array, leaf, view));
}

/// One byte an element: the strides of the elements, as if each had one byte.
TensorEntry mask_of(const Array& array, const std::string& name) {
  std::vector<std::uint64_t> strides = array.strides;
  for (std::uint64_t& stride : strides) stride /= std::max<std::uint64_t>(array.type->bytes, 1);
  TensorEntry entry;
  entry.spec = {.name = name + ".mask", .dtype = DType::BOOL, .shape = array.shape};
  entry.data = {.source = array.mask,
                .offset = 0,
                .strides = tensor_strides(array.shape, std::move(strides), 1),
                .transform = Transform::Booleans};
  return entry;
}

void check_rank(const DataType& type, const Shape& shape, const Limits& limits) {
  std::size_t inner = 0;
  for (const Leaf& leaf : type.leaves) inner = std::max(inner, leaf.shape.size());
  if (shape.size() + inner <= limits.rank) return;
  throw Error(ErrorCode::LimitExceeded,
              fmt::format("{} dimensions, the limit is {}", shape.size() + inner, limits.rank));
}

}  // namespace

Array make_array(std::shared_ptr<const DataType> type, Shape shape, Order order, SourcePtr source,
                 std::uint64_t offset, std::uint64_t bytes, const Limits& limits) {
  check_rank(*type, shape, limits);
  const std::uint64_t needed = byte_count(shape, type->bytes);
  if (needed != bytes || !range_fits(offset, bytes, source->size())) {
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("shape {} of {} needs {} bytes, {} are there", shape_text(shape),
                            type_text(*type), needed, bytes));
  }
  Array array;
  array.strides = order == Order::RowMajor ? row_major_strides(shape, type->bytes)
                                           : column_major_strides(shape, type->bytes);
  array.type = std::move(type);
  array.shape = std::move(shape);
  array.source = std::move(source);
  array.offset = offset;
  array.bytes = bytes;
  return array;
}

bool holds_numbers(const Array& array) noexcept {
  return array.items == pickle::kNoNode && std::ranges::any_of(array.type->leaves, is_number);
}

bool holds_other(const Array& array) noexcept {
  return array.items == pickle::kNoNode && !std::ranges::all_of(array.type->leaves, is_number);
}

std::vector<TensorEntry> tensors_of(const Array& array, const std::string& name, const OpenOptions& options) {
  std::vector<TensorEntry> entries;
  for (const Leaf& leaf : array.type->leaves) {
    if (is_number(leaf)) add_leaf(entries, array, leaf, name, options);
  }
  if (array.mask) entries.push_back(mask_of(array, name));
  return entries;
}

std::string summary_of(const Array& array) {
  return fmt::format("{} {} {}", array.scalar ? "scalar" : "array", type_text(*array.type),
                     shape_text(array.shape));
}

}  // namespace weighbridge::numpy
