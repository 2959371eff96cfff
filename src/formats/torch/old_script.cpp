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
#include "formats/torch/census.hpp"
#include "formats/torch/extras.hpp"
#include "formats/torch/model_json.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/rebuild.hpp"
#include "formats/torch/report.hpp"
#include "formats/torch/tree.hpp"
#include "formats/torch/zip_document.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::string_view kAttributes = "attributes.pkl";

[[noreturn]] void refuse(const std::string& what) { ModelJson::refuse(what); }

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

/// The tensors of the document, in the order in which modules refer to them.
class TensorTable {
 public:
  TensorTable(const zip::Archive& archive, const ZipRecords& records, const ModelJson& model,
              Document& document)
      : archive_(archive), records_(records), model_(model), document_(document) {}

  std::vector<TableTensor> run() {
    std::vector<TableTensor> tensors;
    for (json::Node at = model_.first(ModelJson::kRoot, "tensors"); at != json::kNone; at = model_.next(at)) {
      tensors.push_back(parse(at));
    }
    return tensors;
  }

 private:
  TableTensor parse(json::Node tensor) {
    const ElementType& type = get_type(model_.find_string(tensor, "dataType").value_or(""));
    const auto key = model_.find_string(model_.find(tensor, "data"), "key");
    if (!key) refuse("a tensor without the key of its record");
    TableTensor result{.storage = open(std::string(*key), type), .geometry = {}};
    const json::Node offset = model_.find(tensor, "offset");
    result.geometry.offset = offset == json::kNone ? 0 : model_.number(offset, "an offset");
    result.geometry.shape = parse_numbers(tensor, "dims");
    result.geometry.strides = parse_numbers(tensor, "strides");
    if (result.geometry.shape.size() != result.geometry.strides.size()) {
      refuse(fmt::format("a tensor of {} dimensions has {} strides", result.geometry.shape.size(),
                         result.geometry.strides.size()));
    }
    return result;
  }

  std::vector<std::uint64_t> parse_numbers(json::Node tensor, std::string_view key) const {
    std::vector<std::uint64_t> numbers;
    for (json::Node at = model_.first(tensor, key); at != json::kNone; at = model_.next(at)) {
      numbers.push_back(model_.number(at, key));
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
  const ModelJson& model_;
  Document& document_;
  std::map<std::string, std::size_t> by_key_;
};

/// Attributes refer to tensors as build_tensor_from_id(n).
void bind_references(Document& document, const std::vector<TableTensor>& tensors) {
  const Graph& graph = document.graph;
  for (NodeId node = 0; node < graph.size(); ++node) {
    if (!is_instance(graph, node) || callable_of(graph, node) != Constructor::JitTensorFromId) continue;
    const auto arguments = arguments_of(graph, node);
    const auto id = arguments.size() == 1 ? find_integer(graph, arguments[0]) : std::nullopt;
    if (!id || *id < 0) refuse("an attribute is a tensor without a number");
    const auto position = static_cast<std::uint64_t>(*id);
    if (position >= tensors.size()) {
      refuse(fmt::format("an attribute is tensor {} of {}", position, tensors.size()));
    }
    document.table_tensors.emplace(node, tensors[position]);
  }
}

/// The tensors of each attribute, by its position in the pickled list; their names are what follows that. One
/// walk finds them all, so that attributes that share their values cost no more than their steps.
std::map<std::uint64_t, std::vector<NamedTensor>> find_attribute_tensors(const Document& document,
                                                                         const Limits& limits,
                                                                         Findings& findings) {
  std::map<std::uint64_t, std::vector<NamedTensor>> found;
  if (!find_sequence(document.graph, document.root)) return found;
  const Census census(document, Counted::Tensors);
  for (NamedTensor& tensor : name_tensors(document, census, {.root = document.root}, limits, findings)) {
    std::uint64_t position = 0;
    const char* const begin = tensor.name.data();
    const auto end = std::from_chars(begin, begin + tensor.name.size(), position).ptr;
    tensor.name.erase(0, static_cast<std::size_t>(end - begin));
    found[position].push_back(std::move(tensor));
  }
  return found;
}

/// A tensor in the tree of modules.
struct Slot {
  std::string name;
  TableTensor tensor;
  NodeId node = kNoNode;  ///< That refers to it, in an attribute.
};

/// Names what the modules refer to, in the order of state_dict().
class ModuleWalk {
 public:
  ModuleWalk(const ModelJson& model, const Document& document, const std::vector<TableTensor>& tensors,
             const Limits& limits, Findings& findings)
      : model_(model),
        document_(document),
        attributes_(find_attribute_tensors(document, limits, findings)),
        tensors_(tensors),
        limits_(limits) {}

  std::vector<Slot> run() {
    const json::Node main = model_.find(ModelJson::kRoot, "mainModule");
    if (main == json::kNone) refuse("no main module");
    enter(main);
    while (!open_.empty()) {
      Frame& frame = open_.back();
      path_.resize(frame.path_length);
      const json::Node child = frame.next;
      if (child == json::kNone) {
        open_.pop_back();
        continue;
      }
      frame.next = model_.next(child);
      path_ = join(name_of(child));
      enter(child);
    }
    return std::move(slots_);
  }

 private:
  struct Frame {
    json::Node next;              ///< Of its submodules.
    std::size_t path_length = 0;  ///< Of the path up to and including this module.
  };

  void enter(json::Node module) {
    open_.push_back({.next = model_.first(module, "submodules"), .path_length = path_.size()});
    add_parameters(module, false);
    add_parameters(module, true);
    add_attributes(module);
  }

  void add_parameters(json::Node module, bool buffers) {
    for (json::Node at = model_.first(module, "parameters"); at != json::kNone; at = model_.next(at)) {
      if (model_.is_true(model_.find(at, "isBuffer")) != buffers) continue;
      const std::string name = join(name_of(at));
      const std::uint64_t id = model_.number(model_.find(at, "tensorId"), "a tensorId");
      if (id >= tensors_.size()) {
        refuse(fmt::format("'{}' is tensor {} of {}", printable(name), id, tensors_.size()));
      }
      add({.name = name, .tensor = tensors_[id]});
    }
  }

  /// Attributes are elements of one pickled list; of interest are those that hold tensors.
  void add_attributes(json::Node module) {
    const auto values = find_sequence(document_.graph, document_.root);
    if (!values) return;
    for (json::Node at = model_.first(module, "attributes"); at != json::kNone; at = model_.next(at)) {
      const std::uint64_t id = model_.number(model_.find(at, "id"), "an attribute's id");
      if (id >= values->size()) refuse(fmt::format("attribute {} is not in '{}'", id, kAttributes));
      const auto found = attributes_.find(id);
      if (found != attributes_.end()) add_attribute(join(name_of(at)), found->second);
    }
  }

  void add_attribute(const std::string& name, const std::vector<NamedTensor>& tensors) {
    for (const NamedTensor& found : tensors) {
      const TableTensor* tensor = document_.find_table_tensor(found.node);
      if (tensor == nullptr) refuse(fmt::format("'{}' holds a tensor of its own", printable(name)));
      add({.name = checked(name + found.name), .tensor = *tensor, .node = found.node});
    }
  }

  void add(Slot slot) {
    if (slots_.size() >= limits_.tensors) {
      throw Error(ErrorCode::LimitExceeded, fmt::format("more than {} tensors", limits_.tensors));
    }
    if (!names_.insert(slot.name).second) {
      throw Error(ErrorCode::NameCollision,
                  fmt::format("two tensors would be named '{}'", printable(slot.name)), slot.name);
    }
    slots_.push_back(std::move(slot));
  }

  std::string_view name_of(json::Node object) const {
    const auto name = model_.find_string(object, "name");
    if (!name) refuse("something without a name");
    return *name;
  }

  std::string join(std::string_view name) const {
    return checked(path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name));
  }

  std::string checked(std::string name) const {
    if (name.size() <= limits_.name_bytes) return name;
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("a name has {} bytes, the limit is {}", name.size(), limits_.name_bytes));
  }

  const ModelJson& model_;
  const Document& document_;
  std::map<std::uint64_t, std::vector<NamedTensor>> attributes_;
  const std::vector<TableTensor>& tensors_;
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
    if (slot.name != key && !slot.name.starts_with(key + ".")) continue;
    slot.name = slot.name == key ? "tensor" : slot.name.substr(key.size() + 1);
    chosen.push_back(std::move(slot));
  }
  if (!chosen.empty()) return chosen;
  throw Error(ErrorCode::NoTensors, fmt::format("there is nothing at '{}'", printable(key)), key);
}

Checkpoint build(const zip::Archive& archive, const ZipLayout& layout, const OpenOptions& options,
                 Findings& findings) {
  ZipRecords records(archive, layout.root, options.limits);
  records.check_version("version", findings);
  const ModelJson model(*archive.open(*records.find(ModelJson::kRecord)), options.limits);
  auto document = std::make_shared<Document>();
  if (records.find(kAttributes) != nullptr) {
    *document = records.parse({.pickle = std::string(kAttributes), .storages = "tensors/"}, findings);
  }
  const auto tensors = TensorTable(archive, records, model, *document).run();
  bind_references(*document, tensors);
  const auto all = ModuleWalk(model, *document, tensors, options.limits, findings).run();
  Checkpoint checkpoint;
  std::vector<NamedTensor> origins;
  for (const Slot& slot : select(all, options.key.value_or("."))) {
    for (TensorEntry& entry : rebuild_table_tensor(*document, slot.tensor, slot.name, options)) {
      checkpoint.tensors.push_back(std::move(entry));
    }
    if (slot.node != kNoNode) origins.push_back({slot.name, slot.node});
  }
  checkpoint.root = options.key.value_or(".");
  checkpoint.candidates = {{".", all.size()}};
  if (document->root != kNoNode) checkpoint.extras = make_extras(std::move(document), origins, {}, options);
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
