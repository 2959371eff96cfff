#include "formats/restore/tensors.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/element_type.hpp"

namespace weighbridge::restore {
namespace {

/// How torch writes tensors of a dtype: over a storage of that type or, where there is no such class,
/// over bytes.
struct TorchType {
  DType dtype;
  std::string_view name;
  std::string_view storage;
};

constexpr std::array kTypes = {
    TorchType{DType::F64, "float64", "DoubleStorage"},
    TorchType{DType::F32, "float32", "FloatStorage"},
    TorchType{DType::F16, "float16", "HalfStorage"},
    TorchType{DType::BF16, "bfloat16", "BFloat16Storage"},
    TorchType{DType::I64, "int64", "LongStorage"},
    TorchType{DType::I32, "int32", "IntStorage"},
    TorchType{DType::I16, "int16", "ShortStorage"},
    TorchType{DType::I8, "int8", "CharStorage"},
    TorchType{DType::U8, "uint8", "ByteStorage"},
    TorchType{DType::BOOL, "bool", "BoolStorage"},
    TorchType{DType::C64, "complex64", "ComplexFloatStorage"},
    TorchType{DType::U16, "uint16", ""},
    TorchType{DType::U32, "uint32", ""},
    TorchType{DType::U64, "uint64", ""},
    TorchType{DType::F8_E4M3, "float8_e4m3fn", ""},
    TorchType{DType::F8_E5M2, "float8_e5m2", ""},
    TorchType{DType::F8_E4M3FNUZ, "float8_e4m3fnuz", ""},
    TorchType{DType::F8_E5M2FNUZ, "float8_e5m2fnuz", ""},
    TorchType{DType::F8_E8M0, "float8_e8m0fnu", ""},
    TorchType{DType::F4, "float4_e2m1fn_x2", ""},
};

/// The type of an entry; a name from the sidecar must be one of the same bytes.
TorchType type_of(const TensorEntry& entry, std::string_view name) {
  const auto found = std::ranges::find(kTypes, entry.spec.dtype, &TorchType::dtype);
  if (found == kTypes.end()) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("tensor '{}': torch has no dtype for {}", printable(entry.spec.name),
                            dtype_name(entry.spec.dtype)),
                entry.spec.name);
  }
  if (name.empty() || name == found->name) return *found;
  const torch::ElementType* type = torch::find_element_type(name);
  if (type == nullptr || type->dtype != entry.spec.dtype) {
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("the sidecar calls tensor '{}' {}, the file has {}", printable(entry.spec.name),
                            printable(name), dtype_name(entry.spec.dtype)),
                entry.spec.name);
  }
  return {.dtype = entry.spec.dtype, .name = type->name, .storage = ""};
}

/// In the elements that torch counts: it takes two of 4 bits for one.
Shape torch_shape(const TensorEntry& entry) {
  Shape shape = entry.spec.shape;
  if (entry.spec.dtype == DType::F4 && !shape.empty()) shape.back() /= 2;
  return shape;
}

std::vector<std::size_t> in_order(std::size_t rank) {
  std::vector<std::size_t> order(rank);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

/// Strides of a tensor whose dimensions lie in memory in that order, the last one densest.
std::vector<std::uint64_t> strides_of(const Shape& shape, const std::vector<std::size_t>& order) {
  std::vector<std::uint64_t> strides(shape.size());
  std::uint64_t next = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = next;
    next *= std::max<std::uint64_t>(shape[order[i]], 1);
  }
  return strides;
}

/// The order in which the dimensions lay in memory if they filled it without gaps, such as those of a
/// transposed matrix; otherwise row-major.
std::vector<std::size_t> memory_order(const Shape& shape, const std::vector<std::uint64_t>& strides) {
  std::vector<std::size_t> order = in_order(shape.size());
  if (strides.size() != shape.size()) return order;
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(~strides[i], i); });
  const auto dense = strides_of(shape, order);
  const auto fits = [&](std::size_t i) { return shape[i] == 1 || dense[i] == strides[i]; };
  return std::ranges::all_of(order, fits) ? order : in_order(shape.size());
}

std::vector<std::uint64_t> byte_strides(const TensorEntry& entry) {
  if (!entry.data.strides.empty()) return entry.data.strides;
  auto strides = strides_of(entry.spec.shape, in_order(entry.spec.shape.size()));
  for (std::uint64_t& stride : strides) stride *= bit_width(entry.spec.dtype) / 8;
  return strides;
}

/// The same tensor with its dimensions in another order.
TensorEntry permuted(const TensorEntry& entry, const std::vector<std::size_t>& order) {
  if (std::ranges::is_sorted(order)) return entry;
  const auto strides = byte_strides(entry);
  TensorEntry turned = entry;
  turned.data.strides.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    turned.spec.shape[i] = entry.spec.shape[order[i]];
    turned.data.strides[i] = strides[order[i]];
  }
  return turned;
}

void write_numbers(pickle::Writer& out, const std::vector<std::uint64_t>& numbers) {
  out.mark();
  for (const std::uint64_t number : numbers) out.integer(static_cast<std::int64_t>(number));
  out.tuple();
}

void write_no_hooks(pickle::Writer& out) {
  out.global("collections", "OrderedDict");
  out.empty_tuple();
  out.reduce();
}

/// ('storage', type, key, location, elements): torch's reference to a record of the archive.
void write_storage(pickle::Writer& out, std::string_view type, std::string_view key, std::uint64_t elements) {
  out.mark();
  out.repeated_text("storage");
  type.empty() ? out.global("torch.storage", "UntypedStorage") : out.global("torch", type);
  out.text(key);
  out.repeated_text("cpu");
  out.integer(static_cast<std::int64_t>(elements));
  out.tuple();
  out.persistent();
}

}  // namespace

bool has_torch_type(DType dtype) noexcept {
  return std::ranges::find(kTypes, dtype, &TorchType::dtype) != kTypes.end();
}

Shelf::Shelf(const Parts& parts) {
  for (const Checkpoint* checkpoint : {&parts.model, parts.optimizer}) {
    Set set{.checkpoint = checkpoint, .by_name = {}};
    if (checkpoint != nullptr) {
      for (std::size_t i = 0; i < checkpoint->tensors.size(); ++i) {
        set.by_name.emplace(checkpoint->tensors[i].spec.name, i);
      }
    }
    sets_.push_back(std::move(set));
  }
}

std::optional<std::pair<File, std::size_t>> Shelf::find(const Reference& reference) const {
  const Set& set = sets_[static_cast<std::size_t>(reference.file)];
  auto found = set.by_name.find(reference.name);
  if (found == set.by_name.end() && set.checkpoint != nullptr && set.checkpoint->metadata) {
    const auto alias = set.checkpoint->metadata->find(reference.name);
    if (alias != set.checkpoint->metadata->end()) found = set.by_name.find(alias->second);
  }
  if (found == set.by_name.end()) return std::nullopt;
  return std::pair(reference.file, found->second);
}

std::pair<File, std::size_t> Shelf::get(const Reference& reference) const {
  if (const auto found = find(reference)) return *found;
  const Set& set = sets_[static_cast<std::size_t>(reference.file)];
  const bool optimizer = reference.file == File::Optimizer;
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("the sidecar names tensor '{}', which is not in {}", printable(reference.name),
                          !optimizer                  ? "the file"
                          : set.checkpoint == nullptr ? "the input: the optimizer's file is missing"
                                                      : "the optimizer's file"),
              std::string(reference.name));
}

const TensorEntry& Shelf::entry(File file, std::size_t index) const {
  return sets_[static_cast<std::size_t>(file)].checkpoint->tensors[index];
}

std::string Shelf::key_of(const Place& place) {
  if (const auto known = keys_.find(place); known != keys_.end()) return known->second;
  std::string key = fmt::to_string(storages_.size());
  const auto& [file, index, order] = place;
  storages_.emplace_back(key, permuted(entry(file, index), order));
  keys_.emplace(place, key);
  return key;
}

void Shelf::write_call(pickle::Writer& out, const Reference& reference, std::optional<GlobalName> named) {
  const auto [file, index] = get(reference);
  const TensorEntry& tensor = entry(file, index);
  const TorchType type = type_of(tensor, reference.dtype);
  const Shape shape = torch_shape(tensor);
  const bool packed = tensor.spec.dtype == DType::F4;
  const auto order = packed ? in_order(shape.size()) : memory_order(shape, reference.strides);
  const std::uint64_t bytes = byte_size(tensor.spec.dtype, tensor.spec.shape);
  const bool apart = type.storage.empty();
  out.global("torch._utils", apart ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
  if (named) out.global(named->module, named->name);
  out.mark();
  write_storage(out, type.storage, key_of({file, index, order}),
                apart ? bytes : bytes / (bit_width(tensor.spec.dtype) / 8));
  out.integer(0);
  write_numbers(out, shape);
  write_numbers(out, strides_of(shape, order));
  out.boolean(reference.requires_grad && !reference.parameter);
  write_no_hooks(out);
  if (apart) out.global("torch", type.name);
  out.tuple();
}

void Shelf::write(pickle::Writer& out, const Reference& reference) {
  if (!reference.storage.empty()) {
    const auto [file, index] = get(reference);
    const TensorEntry& tensor = entry(file, index);
    const bool untyped = reference.storage == "UntypedStorage";
    const std::string_view type = untyped ? "" : type_of(tensor, {}).storage;
    const std::uint64_t bytes = byte_size(tensor.spec.dtype, tensor.spec.shape);
    const std::uint64_t each = type.empty() ? 1 : bit_width(tensor.spec.dtype) / 8;
    return write_storage(out, type, key_of({file, index, in_order(tensor.spec.shape.size())}), bytes / each);
  }
  if (reference.parameter) {
    out.global("torch._utils", "_rebuild_parameter");
    out.mark();
  }
  write_call(out, reference, std::nullopt);
  out.reduce();
  if (!reference.parameter) return;
  out.boolean(reference.requires_grad);
  write_no_hooks(out);
  out.tuple();
  out.reduce();
}

std::vector<std::string_view> Shelf::names() const {
  const Set& set = sets_.front();
  std::map<std::string_view, std::vector<std::string_view>> aliases;
  for (const auto& [name, kept] : set.checkpoint->metadata.value_or(Metadata{})) {
    if (!set.by_name.contains(name) && set.by_name.contains(kept)) {
      const auto& own = *set.checkpoint->metadata->find(name);
      aliases[own.second].push_back(own.first);
    }
  }
  std::vector<std::string_view> names;
  for (const TensorEntry& tensor : set.checkpoint->tensors) {
    names.push_back(tensor.spec.name);
    const auto tied = aliases.find(tensor.spec.name);
    if (tied != aliases.end()) names.insert(names.end(), tied->second.begin(), tied->second.end());
  }
  return names;
}

std::size_t Shelf::unused() const {
  std::set<std::pair<File, std::size_t>> used;
  for (const auto& [place, key] : keys_) used.emplace(std::get<0>(place), std::get<1>(place));
  std::size_t all = 0;
  for (const Set& set : sets_) all += set.by_name.size();
  return all - used.size();
}

std::vector<zip::NewEntry> Shelf::take_storages(std::string_view folder) && {
  std::ranges::sort(storages_, {}, &std::pair<std::string, TensorEntry>::first);
  std::vector<zip::NewEntry> entries;
  entries.reserve(storages_.size());
  for (auto& [key, tensor] : storages_) {
    entries.push_back({.name = fmt::format("{}/data/{}", folder, key),
                       .content = {.name = tensor.spec.name,
                                   .source = tensor.data.source,
                                   .runs = tensor_runs(tensor),
                                   .transform = tensor.data.transform}});
  }
  return entries;
}

}  // namespace weighbridge::restore
