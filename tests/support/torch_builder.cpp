#include "support/torch_builder.hpp"

#include <bit>
#include <cstring>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/endian.hpp"

namespace weighbridge::test {
namespace py {
namespace {

std::string joined(const Values& items) {
  std::string out;
  for (const Value& item : items) out += item;
  return out;
}

std::string pairs(const std::vector<std::pair<Value, Value>>& entries) {
  std::string out;
  for (const auto& [key, value] : entries) out += key + value;
  return out;
}

}  // namespace

Value none() { return "N"; }
Value boolean(bool value) { return value ? "\x88" : "\x89"; }
Value integer(std::int64_t value) { return fmt::format("I{}\n", value); }

Value real(double value) {
  const auto bits = reverse_bytes(std::bit_cast<std::uint64_t>(value));
  return "G" + le64(bits);
}

Value text(std::string_view utf8) { return "X" + le32(utf8.size()) + std::string(utf8); }
Value bytes(std::string_view content) { return "B" + le32(content.size()) + std::string(content); }
Value py2_string(std::string_view content) { return "T" + le32(content.size()) + std::string(content); }
Value tuple(const Values& items) { return "(" + joined(items) + "t"; }

Value tuple_of(const Numbers& numbers) {
  Values items;
  for (const std::int64_t number : numbers) items.push_back(integer(number));
  return tuple(items);
}

Value list(const Values& items) { return "](" + joined(items) + "e"; }
Value dict(const std::vector<std::pair<Value, Value>>& entries) { return "}(" + pairs(entries) + "u"; }
Value global(std::string_view module, std::string_view name) {
  return fmt::format("c{}\n{}\n", module, name);
}
Value call(const Value& callable, const Values& arguments) { return callable + tuple(arguments) + "R"; }
Value object(const Value& type) { return type + ")\x81"; }
Value build(const Value& object, const Value& state) { return object + state + "b"; }
Value persistent(const Value& id) { return id + "Q"; }
Value keep(const Value& value, std::uint8_t number) { return value + "q" + static_cast<char>(number); }
Value again(std::uint8_t number) { return std::string("h") + static_cast<char>(number); }

Value storage(std::string_view type, std::string_view key, std::int64_t elements) {
  return persistent(
      tuple({text("storage"), global("torch", type), text(key), text("cpu"), integer(elements)}));
}

Value tensor(const Value& storage, std::int64_t offset, const Numbers& sizes, const Numbers& strides) {
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              {storage, integer(offset), tuple_of(sizes), tuple_of(strides), boolean(false), dict({})});
}

Value one_float() { return tensor(storage("FloatStorage", "0", 1), 0, {1}, {1}); }

Value module(const Value& type, const Value& parameters, const Value& buffers, const Value& modules,
             const std::vector<std::pair<Value, Value>>& more) {
  std::vector<std::pair<Value, Value>> state = {
      {text("_parameters"), parameters}, {text("_buffers"), buffers}, {text("_modules"), modules}};
  state.insert(state.end(), more.begin(), more.end());
  return build(object(type), dict(state));
}

std::string pickle(const Value& value) { return "\x80\x02" + value + "."; }

}  // namespace py

ZipBuilder zip_checkpoint(const py::Value& root, const Records& storages) {
  ZipBuilder zip;
  zip.torch_style = true;
  zip.add("archive/data.pkl", py::pickle(root));
  zip.add("archive/byteorder", "little");
  for (const auto& [key, content] : storages) zip.add("archive/data/" + key, content);
  zip.add("archive/version", "3\n");
  return zip;
}

std::string legacy_checkpoint(const py::Value& root, const std::vector<LegacyRecord>& records,
                              bool little_endian) {
  std::string out("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19\x2E", 15);
  out += py::pickle(py::integer(1001));
  out += py::pickle(py::dict({{py::text("little_endian"), py::boolean(little_endian)}}));
  out += py::pickle(root);
  py::Values keys;
  for (const LegacyRecord& record : records) keys.push_back(py::text(record.key));
  out += py::pickle(py::list(keys));
  for (const LegacyRecord& record : records)
    out += le64(static_cast<std::uint64_t>(record.count)) + record.content;
  return out;
}

py::Value legacy_storage(std::string_view type, std::string_view key, std::int64_t elements,
                         const py::Value& view) {
  return py::persistent(py::tuple({py::text("storage"), py::global("torch", type), py::text(key),
                                   py::text("cpu"), py::integer(elements), view}));
}

SourcePtr source_of(std::string bytes) { return memory_source(Buffer::take(std::move(bytes))); }

Checkpoint load(const std::string& file, std::string key) {
  OpenOptions options;
  options.key = std::move(key);
  return read_checkpoint(source_of(file), options);
}

Checkpoint load(const ZipBuilder& zip, std::string key) { return load(zip.bytes(), std::move(key)); }

Checkpoint load_found(const std::string& file) { return read_checkpoint(source_of(file)); }

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return {ErrorCode::Cancelled, "no error was thrown"};
}

std::string content_of(const TensorEntry& entry) {
  const ByteRuns runs = tensor_runs(entry);
  std::string out;
  std::vector<std::uint64_t> at(runs.loops.size(), 0);
  while (out.size() < runs.total_bytes) {
    std::uint64_t offset = runs.offset;
    for (std::size_t i = 0; i < at.size(); ++i) offset += at[i] * runs.loops[i].stride;
    std::string run(runs.run_bytes, '\0');
    entry.data.source->read_at(offset, std::as_writable_bytes(std::span(run)));
    out += run;
    for (std::size_t i = at.size(); i-- > 0 && ++at[i] == runs.loops[i].count;) at[i] = 0;
  }
  return out;
}

std::vector<std::string> names_of(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const TensorEntry& entry : checkpoint.tensors) names.push_back(entry.spec.name);
  return names;
}

std::vector<std::string> codes_of(const Checkpoint& checkpoint) {
  std::vector<std::string> codes;
  for (const Finding& finding : checkpoint.findings) codes.push_back(finding.code);
  return codes;
}

std::string floats(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    const auto value = static_cast<float>(i);
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out.append(bytes, sizeof value);
  }
  return out;
}

}  // namespace weighbridge::test
