#include "formats/onnx/content.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/onnx/sparse_source.hpp"
#include "formats/onnx/typed_source.hpp"

namespace weighbridge::onnx {
namespace {

const ElementType& get_type(const TensorProto& tensor) {
  if (tensor.type == kUndefined) refuse_tensor(tensor, "it has no data_type");
  const ElementType* type = find_element_type(tensor.type);
  if (type != nullptr) return *type;
  throw Error(ErrorCode::Unsupported,
              fmt::format("{}: data_type {} is not known", tensor_text(tensor), tensor.type), tensor.name,
              tensor.message.begin);
}

/// Real and imaginary parts of numbers of `width` bytes each.
std::vector<TensorEntry> split_complex(const std::string& name, const TensorProto& tensor,
                                       const TensorData& data, DType part, std::uint64_t width) {
  TensorData real = data;
  std::uint64_t stride = 2 * width;
  for (std::size_t i = tensor.dims.size(); i-- > 0;) {
    real.strides.insert(real.strides.begin(), stride);
    stride *= std::max<std::uint64_t>(tensor.dims[i], 1);
  }
  TensorData imaginary = real;
  imaginary.offset += width;
  return {
      {.spec = {.name = name + ".real", .dtype = part, .shape = tensor.dims}, .data = std::move(real)},
      {.spec = {.name = name + ".imag", .dtype = part, .shape = tensor.dims}, .data = std::move(imaginary)}};
}

}  // namespace

std::optional<Form> find_form(const TensorProto& tensor) {
  const ElementType& type = get_type(tensor);
  if (type.bits == 0) return std::nullopt;
  const std::uint64_t bytes = data_bytes(tensor, type);
  if (type.bits < 8) {
    // A shape whose elements do not fill the last byte cannot stand in safetensors.
    const bool whole = type.dtype && bytes * 8 == element_count(tensor.dims) * type.bits;
    if (!whole) return Form{.dtype = DType::U8, .shape = {bytes}, .raw = true};
  }
  if (!type.dtype) return std::nullopt;
  return Form{.dtype = *type.dtype, .shape = tensor.dims};
}

TensorData ContentReader::find_data(const TensorProto& tensor, const ElementType& type) {
  const std::uint64_t bytes = data_bytes(tensor, type);
  const int places = (tensor.raw ? 1 : 0) + static_cast<int>(tensor.typed.size()) + (tensor.external ? 1 : 0);
  if (places > 1) refuse_tensor(tensor, "its data is in more than one field");
  if (tensor.external) return external_.find(tensor, bytes);
  if (tensor.raw) {
    if (tensor.raw->size() == bytes) return {.source = file_, .offset = tensor.raw->begin};
    refuse_tensor(tensor, fmt::format("raw_data has {} bytes, {} {} needs {}", tensor.raw->size(), type.name,
                                      shape_text(tensor.dims), bytes));
  }
  if (places == 0) {
    if (bytes == 0) return {.source = file_, .offset = 0};
    // Writers of proto3 leave out a lone number that is 0.
    if (tensor.list_field != 0) return {.source = memory_source(Buffer::take(std::string(bytes, '\0')))};
    refuse_tensor(tensor, fmt::format("it has no data, {} {} needs {} bytes", type.name,
                                      shape_text(tensor.dims), bytes));
  }
  TypedData data = open_typed(file_, window_, tensor, type);
  return {.source = std::move(data.source), .offset = data.offset};
}

std::vector<TensorEntry> ContentReader::read(const Tensor& tensor) {
  return tensor.sparse ? read_sparse(tensor) : read_dense(tensor.name, tensor.proto);
}

std::vector<TensorEntry> ContentReader::read_dense(const std::string& name, const TensorProto& tensor) {
  const auto form = find_form(tensor);
  const ElementType& type = get_type(tensor);
  if (!form && type.number == kString) {
    not_taken_.push_back({.path = name, .summary = fmt::format("tensor STRING {}", shape_text(tensor.dims))});
    return {};
  }
  if (!form && !options_.split_complex) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("tensor '{}': safetensors has no {}; --complex split writes its parts",
                            printable(name), type.name),
                name, tensor.message.begin);
  }
  TensorData data = find_data(tensor, type);
  if (!form) return split_complex(name, tensor, data, DType::F64, 8);
  if (type.number == kComplex64 && options_.split_complex)
    return split_complex(name, tensor, data, DType::F32, 4);
  if (form->raw) restated_.push_back({.name = name, .type = std::string(type.name), .shape = tensor.dims});
  if (form->dtype == DType::BOOL) data.transform = Transform::Booleans;
  return {{.spec = {.name = name, .dtype = form->dtype, .shape = form->shape}, .data = std::move(data)}};
}

std::vector<TensorEntry> ContentReader::read_sparse(const Tensor& tensor) {
  const SparseTensor& sparse = *tensor.sparse;
  if (tensor.proto.dims.size() != 1)
    refuse_tensor(tensor.proto, "the values of a sparse tensor are not in one dimension");
  const std::uint64_t count = tensor.proto.dims[0];
  const Shape linear = {count};
  const Shape rows = {count, sparse.dims.size()};
  if (sparse.indices.type != kInt64 || (sparse.indices.dims != linear && sparse.indices.dims != rows)) {
    refuse_tensor(tensor.proto, fmt::format("its sparse indices are not INT64 [{0}] or [{0}, {1}]", count,
                                            sparse.dims.size()));
  }
  std::vector<TensorEntry> values = read_dense(tensor.name + ".values", tensor.proto);
  if (values.empty()) return {};
  std::vector<TensorEntry> indices = read_dense(tensor.name + ".indices", sparse.indices);
  if (options_.sparse == SparsePolicy::Dense && values.size() == 1) {
    return {write_out(tensor, values.front(), indices.front())};
  }
  restated_.push_back({.name = tensor.name,
                       .type = std::string(get_type(tensor.proto).name),
                       .shape = sparse.dims,
                       .sparse = true});
  values.push_back(std::move(indices.front()));
  return values;
}

TensorEntry ContentReader::write_out(const Tensor& tensor, const TensorEntry& values,
                                     const TensorEntry& indices) {
  const SparseTensor& sparse = *tensor.sparse;
  const std::uint64_t element_bytes = bit_width(values.spec.dtype) / 8;
  if (bit_width(values.spec.dtype) < 8 || values.spec.shape != tensor.proto.dims) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("tensor '{}': sparse values of less than a byte; --sparse split writes its parts",
                            printable(tensor.name)),
                tensor.name, tensor.field.begin);
  }
  TensorProto whole = tensor.proto;
  whole.dims = sparse.dims;
  const std::uint64_t bytes = data_bytes(whole, get_type(whole));
  const Limits& limits = options_.limits;
  const auto most = checked_mul(file_->size(), limits.expansion_ratio).value_or(UINT64_MAX);
  if (bytes > std::max(most, limits.expansion_floor)) {
    throw Error(
        ErrorCode::LimitExceeded,
        fmt::format("tensor '{}': written out it has {} bytes, out of all proportion to the file; --sparse "
                    "split writes its parts",
                    printable(tensor.name), bytes),
        tensor.name);
  }
  SparseParts parts{.values = values.data.source,
                    .values_at = values.data.offset,
                    .indices = indices.data.source,
                    .indices_at = indices.data.offset,
                    .count = tensor.proto.dims[0],
                    .element_bytes = element_bytes,
                    .linear = sparse.indices.dims.size() == 1,
                    .shape = sparse.dims,
                    .name = tensor.name};
  return {.spec = {.name = tensor.name, .dtype = values.spec.dtype, .shape = sparse.dims},
          .data = {.source = sparse_source(std::move(parts)),
                   .offset = 0,
                   .strides = {},
                   .transform = values.data.transform}};
}

}  // namespace weighbridge::onnx
