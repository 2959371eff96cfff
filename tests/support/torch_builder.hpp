// Checkpoints for tests, written as the values that they hold:
//
//   const std::string model = py::dict({{py::text("w"), py::tensor(py::storage("FloatStorage", "0", 6), 0,
//   {2, 3}, {3, 1})}}); const Checkpoint checkpoint = read_checkpoint(zip_checkpoint(model, {{"0",
//   std::string(24, 'x')}}).source());
//
// A value is the run of opcodes that pushes it.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "support/zip_builder.hpp"

namespace weighbridge::test {

namespace py {

using Value = std::string;
using Values = std::vector<Value>;
using Numbers = std::vector<std::int64_t>;

Value none();
Value boolean(bool value);
Value integer(std::int64_t value);
Value real(double value);
Value text(std::string_view utf8);
Value bytes(std::string_view content);
Value py2_string(std::string_view content);
Value tuple(const Values& items);
Value tuple_of(const Numbers& numbers);
Value list(const Values& items);
Value dict(const std::vector<std::pair<Value, Value>>& entries);
Value global(std::string_view module, std::string_view name);
Value call(const Value& callable, const Values& arguments);
Value object(const Value& type);                       ///< NEWOBJ without arguments.
Value build(const Value& object, const Value& state);  ///< BUILD
Value persistent(const Value& id);

/// Remembers the value under a number; again() refers to it.
Value keep(const Value& value, std::uint8_t number);
Value again(std::uint8_t number);

/// A storage of a zip archive: ('storage', torch.<type>, key, 'cpu', elements).
Value storage(std::string_view type, std::string_view key, std::int64_t elements);
/// _rebuild_tensor_v2 over it.
Value tensor(const Value& storage, std::int64_t offset, const Numbers& sizes, const Numbers& strides);
/// One float in storage '0' of 4 bytes.
Value one_float();
/// An instance of `type` with `_parameters`, `_buffers` and `_modules`, each a dict, and more state.
Value module(const Value& type, const Value& parameters, const Value& buffers, const Value& modules,
             const std::vector<std::pair<Value, Value>>& more = {});

/// The whole stream: PROTO 2, the value, STOP.
std::string pickle(const Value& value);

}  // namespace py

using Records = std::vector<std::pair<std::string, std::string>>;

/// An archive as torch.save writes it; storages are given as key and content.
ZipBuilder zip_checkpoint(const py::Value& root, const Records& storages);

/// A legacy stream; each record is a key and an element count with the bytes behind it.
struct LegacyRecord {
  std::string key;
  std::int64_t count = 0;
  std::string content;
};
std::string legacy_checkpoint(const py::Value& root, const std::vector<LegacyRecord>& records,
                              bool little_endian = true);
/// A storage of a legacy stream, with view metadata if it is not none().
py::Value legacy_storage(std::string_view type, std::string_view key, std::int64_t elements,
                         const py::Value& view = py::none());

SourcePtr source_of(std::string bytes);

/// Reads with the key ".", or as given.
Checkpoint load(const std::string& file, std::string key = ".");
Checkpoint load(const ZipBuilder& zip, std::string key = ".");
/// Reads without a key: the state dict is found.
Checkpoint load_found(const std::string& file);

/// The error that `action` throws; fails the test when there is none.
Error error_of(const std::function<void()>& action);

/// The content of a tensor as it goes out, without its transform.
std::string content_of(const TensorEntry& entry);

/// The names of all tensors, in order.
std::vector<std::string> names_of(const Checkpoint& checkpoint);

/// The codes of all findings, in order.
std::vector<std::string> codes_of(const Checkpoint& checkpoint);

/// `count` floats: 0, 1, 2, ...
std::string floats(int count);

}  // namespace weighbridge::test
