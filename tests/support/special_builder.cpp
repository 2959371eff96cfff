#include "support/special_builder.hpp"

#include <cstring>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weighbridge::test {
namespace {

template <typename T>
std::string content_from(const std::vector<T>& numbers) {
  std::string out(numbers.size() * sizeof(T), '\0');
  if (!numbers.empty()) std::memcpy(out.data(), numbers.data(), out.size());
  return out;
}

template <typename T>
std::vector<T> numbers_from(const std::string& content) {
  std::vector<T> numbers(content.size() / sizeof(T));
  if (!numbers.empty()) std::memcpy(numbers.data(), content.data(), content.size());
  return numbers;
}

py::Numbers contiguous(const py::Numbers& shape) {
  py::Numbers strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

}  // namespace

py::Value SpecialFile::storage(std::string_view type, const std::string& content, std::int64_t elements) {
  const std::string key = fmt::to_string(records_.size());
  records_.emplace_back(key, content);
  return py::storage(type, key, elements);
}

py::Value SpecialFile::tensor(std::string_view storage_type, const std::string& content,
                              std::int64_t elements, const py::Numbers& shape) {
  return py::tensor(storage(storage_type, content, elements), 0, shape, contiguous(shape));
}

py::Value SpecialFile::floats(const std::vector<float>& numbers, const py::Numbers& shape) {
  return tensor("FloatStorage", content_from(numbers), static_cast<std::int64_t>(numbers.size()), shape);
}

py::Value SpecialFile::doubles(const std::vector<double>& numbers, const py::Numbers& shape) {
  return tensor("DoubleStorage", content_from(numbers), static_cast<std::int64_t>(numbers.size()), shape);
}

py::Value SpecialFile::longs(const std::vector<std::int64_t>& numbers, const py::Numbers& shape) {
  return tensor("LongStorage", content_from(numbers), static_cast<std::int64_t>(numbers.size()), shape);
}

py::Value SpecialFile::ints(const std::vector<std::int32_t>& numbers, const py::Numbers& shape) {
  return tensor("IntStorage", content_from(numbers), static_cast<std::int64_t>(numbers.size()), shape);
}

SpecialFile& SpecialFile::add(std::string_view name, const py::Value& value) {
  entries_.emplace_back(py::text(name), value);
  return *this;
}

std::string SpecialFile::bytes() const { return zip_checkpoint(py::dict(entries_), records_).bytes(); }

std::string SpecialFile::deflated() const {
  ZipBuilder zip;
  zip.add("archive/data.pkl", py::pickle(py::dict(entries_)));
  for (const auto& [key, content] : records_) zip.add_deflated("archive/data/" + key, content);
  return zip.bytes();
}

Checkpoint SpecialFile::load(OpenOptions options) const {
  options.key = ".";
  return read_checkpoint(source_of(bytes()), options);
}

Error SpecialFile::error(const OpenOptions& options) const {
  return error_of([&] {
    for (const TensorEntry& entry : load(options).tensors) content_of(entry);
  });
}

namespace py {

Value utils(std::string_view function, const Values& arguments) {
  return call(global("torch._utils", function), arguments);
}

Value layout(std::string_view name) {
  return call(global("torch.serialization", "_get_layout"), {text(fmt::format("torch.{}", name))});
}

Value size(const Numbers& sizes) { return call(global("torch", "Size"), {tuple_of(sizes)}); }

Value sparse_coo(const Value& indices, const Value& values, const Numbers& sizes) {
  return utils("_rebuild_sparse_tensor",
               {layout("sparse_coo"), tuple({indices, values, size(sizes), boolean(false)})});
}

Value sparse(std::string_view name, const Value& compressed, const Value& plain, const Value& values,
             const Numbers& sizes) {
  return utils("_rebuild_sparse_tensor", {layout(name), tuple({compressed, plain, values, size(sizes)})});
}

Value wrapper(const Value& type, const Numbers& sizes, const Value& state) {
  return call(global("torch._tensor", "_rebuild_from_type_v2"),
              {global("torch._utils", "_rebuild_wrapper_subclass"), type,
               tuple({type, global("torch", "float32"), tuple_of(sizes), tuple_of(contiguous(sizes)),
                      integer(0), layout("strided"), text("cpu"), boolean(false)}),
               state});
}

}  // namespace py

TensorEntry tensor_of(const Checkpoint& checkpoint, std::string_view name) {
  const TensorEntry* found = checkpoint.find(name);
  if (found != nullptr) return *found;
  ADD_FAILURE() << "no tensor " << name;
  return {};
}

std::vector<float> floats_of(const TensorEntry& entry) { return numbers_from<float>(content_of(entry)); }

std::vector<std::int64_t> longs_of(const TensorEntry& entry) {
  return numbers_from<std::int64_t>(content_of(entry));
}

std::vector<int> bytes_of(const TensorEntry& entry) {
  std::vector<int> bytes;
  for (const char byte : content_of(entry)) bytes.push_back(static_cast<unsigned char>(byte));
  return bytes;
}

}  // namespace weighbridge::test
