// Checkpoints of tensors that are made of several storages:
//
//   SpecialFile file;
//   file.add("w", py::sparse_coo(file.longs({0, 1, 1, 0}, {2, 2}), file.floats({1, 2}, {2}), {2, 2}));
//   const Checkpoint checkpoint = file.load();
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "support/torch_builder.hpp"

namespace weighbridge::test {

class SpecialFile {
 public:
  /// Contiguous tensors over a storage of their own.
  py::Value floats(const std::vector<float>& numbers, const py::Numbers& shape);
  py::Value doubles(const std::vector<double>& numbers, const py::Numbers& shape);
  py::Value longs(const std::vector<std::int64_t>& numbers, const py::Numbers& shape);
  py::Value ints(const std::vector<std::int32_t>& numbers, const py::Numbers& shape);
  py::Value tensor(std::string_view storage_type, const std::string& content, std::int64_t elements,
                   const py::Numbers& shape);
  /// A storage alone.
  py::Value storage(std::string_view type, const std::string& content, std::int64_t elements);

  SpecialFile& add(std::string_view name, const py::Value& value);

  [[nodiscard]] std::string bytes() const;
  /// The same with deflated storages, which are cheap to read from front to back only.
  [[nodiscard]] std::string deflated() const;
  Checkpoint load(OpenOptions options = {}) const;
  /// The error of load(), or of reading everything.
  [[nodiscard]] Error error(const OpenOptions& options = {}) const;

 private:
  std::vector<std::pair<py::Value, py::Value>> entries_;
  Records records_;
};

namespace py {

Value utils(std::string_view function, const Values& arguments);  ///< torch._utils.<function>(...)
Value layout(std::string_view name);                              ///< _get_layout('torch.<name>')
Value size(const Numbers& sizes);                                 ///< torch.Size
Value sparse_coo(const Value& indices, const Value& values, const Numbers& sizes);
Value sparse(std::string_view layout, const Value& compressed, const Value& plain, const Value& values,
             const Numbers& sizes);
/// _rebuild_from_type_v2(_rebuild_wrapper_subclass, ...) of F32 `sizes` with a dict as state.
Value wrapper(const Value& type, const Numbers& sizes, const Value& state);

}  // namespace py

/// The tensor of that name; fails the test when there is none.
TensorEntry tensor_of(const Checkpoint& checkpoint, std::string_view name);
std::vector<float> floats_of(const TensorEntry& entry);
std::vector<std::int64_t> longs_of(const TensorEntry& entry);
std::vector<int> bytes_of(const TensorEntry& entry);

}  // namespace weighbridge::test
