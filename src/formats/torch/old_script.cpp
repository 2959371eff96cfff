#include "formats/torch/old_script.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/extras.hpp"
#include "formats/torch/json_tree.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/rebuild.hpp"
#include "formats/torch/report.hpp"
#include "formats/torch/zip_document.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::string_view kModel = "model.json";
constexpr std::string_view kAttributes = "attributes.pkl";

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("'{}': {}", kModel, what), std::string(kModel));
}

/// The name that torch has for a type that the document calls after Caffe2's.
const ElementType& get_type(std::string_view name) {
  using Pair = std::pair<std::string_view, std::string_view>;
  constexpr std::array kTypes = {
      Pair{"FLOAT", "float32"}, Pair{"FLOAT16", "float16"}, Pair{"DOUBLE", "float64"}, Pair{"UINT8", "uint8"},
      Pair{"BYTE", "uint8"},    Pair{"INT8", "int8"},       Pair{"INT16", "int16"},    Pair{"INT32", "int32"},
      Pair{"INT64", "int64"},   Pair{"BOOL", "bool"}};
  const auto found = std::ranges::find(kTypes, name, &Pair::first);
  if (found == kTypes.end()) refuse(fmt::format("the data type '{}' is not known", printable(name)));
  return *find_element_type(found->second);
}

std::uint64_t parse_number(std::string_view text, std::string_view what) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  refuse(fmt::format("{} '{}' is no number that is not negative", what, printable(text)));
}

/// The tensors of the document, in the order in which modules refer to them.
class TensorTable {
 public:
  TensorTable(const zip::Archive& archive, const ZipRecords& records, const JsonTree& json,
              Document& document)
      : archive_(archive), records_(records), json_(json), document_(document) {}

  std::vector<TableTensor> run() {
    std::vector<TableTensor> tensors;
    for (const JsonId tensor : json_.elements(json_.root(), "tensors")) tensors.push_back(parse(tensor));
    return tensors;
  }

 private:
  TableTensor parse(JsonId tensor) {
    const ElementType& type = get_type(json_.find_text(tensor, "dataType").value_or(""));
    const auto data = json_.find(tensor, "data");
    const auto key = data ? json_.find_text(*data, "key") : std::nullopt;
    if (!key) refuse("a tensor without the key of its record");
    TableTensor result{.storage = open(std::string(*key), type), .geometry = {}};
    result.geometry.offset = parse_number(json_.find_text(tensor, "offset").value_or("0"), "an offset");
    result.geometry.shape = parse_numbers(tensor, "dims");
    result.geometry.strides = parse_numbers(tensor, "strides");
    if (result.geometry.shape.size() != result.geometry.strides.size()) {
      refuse(fmt::format("a tensor of {} dimensions has {} strides", result.geometry.shape.size(),
                         result.geometry.strides.size()));
    }
    return result;
  }

  std::vector<std::uint64_t> parse_numbers(JsonId tensor, std::string_view key) const {
    std::vector<std::uint64_t> numbers;
    for (const JsonId item : json_.elements(tensor, key)) {
      numbers.push_back(parse_number(json_.at(item).text, key));
    }
    return numbers;
  }

  std::size_t open(const std::string& key, const ElementType& type) {
    const auto [position, fresh] = by_key_.try_emplace(key, document_.storages.size());
    if (fresh) document_.storages.push_back(open_record(key, type));
    const Storage& storage = document_.storages[position->second];
    if (storage.type == &type) return position->second;
    refuse(fmt::format("record '{}' is {} for one tensor and {} for another", printable(key), type.name,
                       storage.type->name));
  }

  Storage open_record(const std::string& key, const ElementType& type) const {
    const zip::Entry* entry = records_.find(key);
    if (entry == nullptr) refuse(fmt::format("there is no record '{}'", printable(key)));
    if (entry->bytes % type.bytes != 0) {
      refuse(fmt::format("record '{}' has {} bytes, no multiple of {}", printable(key), entry->bytes,
                         type.bytes));
    }
    return {.source = archive_.open(*entry),
            .offset = 0,
            .bytes = entry->bytes,
            .type = &type,
            .big_endian = false,
            .label = fmt::format("record '{}'", printable(key))};
  }

  const zip::Archive& archive_;
  const ZipRecords& records_;
  const JsonTree& json_;
  Document& document_;
  std::map<std::string, std::size_t> by_key_;
};

/// A tensor in the tree of modules.
struct Slot {
  std::string name;
  std::uint64_t tensor = 0;
};

/// Names what the modules refer to, in the order of state_dict().
class ModuleWalk {
 public:
  ModuleWalk(const JsonTree& json, const Document& document, const Limits& limits)
      : json_(json), document_(document), limits_(limits) {}

  std::vector<Slot> run() {
    const auto main = json_.find(json_.root(), "mainModule");
    if (!main) refuse("no main module");
    enter(*main);
    while (!open_.empty()) {
      Frame& frame = open_.back();
      path_.resize(frame.path_length);
      const auto& children = json_.elements(frame.module, "submodules");
      if (frame.next == children.size()) {
        open_.pop_back();
        continue;
      }
      const JsonId child = children[frame.next++];
      path_ = join(name_of(child));
      enter(child);
    }
    return std::move(slots_);
  }

 private:
  struct Frame {
    JsonId module;
    std::size_t next = 0;         ///< Of its submodules.
    std::size_t path_length = 0;  ///< Of the path up to and including this module.
  };

  void enter(JsonId module) {
    open_.push_back({.module = module, .next = 0, .path_length = path_.size()});
    add_parameters(module, false);
    add_parameters(module, true);
    add_attributes(module);
  }

  void add_parameters(JsonId module, bool buffers) {
    for (const JsonId parameter : json_.elements(module, "parameters")) {
      const auto flag = json_.find(parameter, "isBuffer");
      if ((flag && json_.at(*flag).text == "true") != buffers) continue;
      const auto tensor = json_.find_text(parameter, "tensorId");
      if (!tensor) refuse(fmt::format("parameter '{}' has no tensor", printable(name_of(parameter))));
      add(join(name_of(parameter)), parse_number(*tensor, "a tensorId"));
    }
  }

  /// Attributes are elements of one pickled list; of interest are those that stand for a tensor.
  void add_attributes(JsonId module) {
    const auto values = find_sequence(document_.graph, document_.root);
    if (!values) return;
    for (const JsonId attribute : json_.elements(module, "attributes")) {
      const std::uint64_t id =
          parse_number(json_.find_text(attribute, "id").value_or(""), "an attribute's id");
      if (id >= values->size()) refuse(fmt::format("attribute {} is not in '{}'", id, kAttributes));
      if (const auto tensor = find_tensor_id((*values)[id])) add(join(name_of(attribute)), *tensor);
    }
  }

  [[nodiscard]] std::optional<std::uint64_t> find_tensor_id(NodeId node) const {
    if (callable_of(document_.graph, node) != Constructor::JitTensorFromId) return std::nullopt;
    const auto arguments = arguments_of(document_.graph, node);
    const auto id = arguments.size() == 1 ? find_integer(document_.graph, arguments[0]) : std::nullopt;
    if (!id || *id < 0) refuse("an attribute is a tensor without a number");
    return static_cast<std::uint64_t>(*id);
  }

  void add(std::string name, std::uint64_t tensor) {
    if (slots_.size() >= limits_.tensors) {
      throw Error(ErrorCode::LimitExceeded, fmt::format("more than {} tensors", limits_.tensors));
    }
    if (!names_.insert(name).second) {
      throw Error(ErrorCode::NameCollision, fmt::format("two tensors would be named '{}'", printable(name)),
                  name);
    }
    slots_.push_back({std::move(name), tensor});
  }

  std::string_view name_of(JsonId object) const {
    const auto name = json_.find_text(object, "name");
    if (!name) refuse("something without a name");
    return *name;
  }

  std::string join(std::string_view name) const {
    std::string joined = path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
    if (joined.size() <= limits_.name_bytes) return joined;
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("a name has {} bytes, the limit is {}", joined.size(), limits_.name_bytes));
  }

  const JsonTree& json_;
  const Document& document_;
  const Limits& limits_;
  std::vector<Frame> open_;
  std::string path_;
  std::vector<Slot> slots_;
  std::set<std::string> names_;
};

/// The slots at the key or below it, named from there.
std::vector<Slot> select(std::vector<Slot> slots, const std::string& key) {
  if (key == ".") return slots;
  std::vector<Slot> chosen;
  for (Slot& slot : slots) {
    if (slot.name == key) chosen.push_back({"tensor", slot.tensor});
    if (slot.name.starts_with(key + ".")) chosen.push_back({slot.name.substr(key.size() + 1), slot.tensor});
  }
  if (!chosen.empty()) return chosen;
  throw Error(ErrorCode::NoTensors, fmt::format("there is nothing at '{}'", printable(key)), key);
}

Checkpoint build(const zip::Archive& archive, const ZipLayout& layout, const OpenOptions& options,
                 Findings& findings) {
  ZipRecords records(archive, layout.root, options.limits);
  records.check_version("version", findings);
  const JsonTree json = JsonTree::parse(*archive.open(*records.find(kModel)), kModel, options.limits);
  auto document = std::make_shared<Document>();
  if (records.find(kAttributes) != nullptr) {
    *document = records.parse({.pickle = std::string(kAttributes), .storages = "tensors/"}, findings);
  }
  const auto tensors = TensorTable(archive, records, json, *document).run();
  const auto all = ModuleWalk(json, *document, options.limits).run();
  Checkpoint checkpoint;
  for (const Slot& slot : select(all, options.key.value_or("."))) {
    if (slot.tensor >= tensors.size()) {
      refuse(fmt::format("'{}' is tensor {} of {}", printable(slot.name), slot.tensor, tensors.size()));
    }
    for (TensorEntry& entry : rebuild_table_tensor(*document, tensors[slot.tensor], slot.name, options)) {
      checkpoint.tensors.push_back(std::move(entry));
    }
  }
  checkpoint.root = options.key.value_or(".");
  checkpoint.candidates = {{".", all.size()}};
  if (document->root != kNoNode) checkpoint.extras = make_extras(std::move(document), {}, {}, options);
  return checkpoint;
}

}  // namespace

Checkpoint read_old_script(const zip::Archive& archive, const ZipLayout& layout, const OpenOptions& options) {
  Findings findings;
  try {
    Checkpoint checkpoint = build(archive, layout, options, findings);
    checkpoint.format = "torchscript-json";
    checkpoint.metadata = Metadata{{"format", "pt"}};
    checkpoint.findings = std::move(findings);
    return checkpoint;
  } catch (const Error& error) {
    throw with_danger(error, findings);
  }
}

}  // namespace weighbridge::torch
