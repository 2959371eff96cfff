#include "formats/keras/extras.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "formats/hdf5/tensors.hpp"
#include "formats/hdf5/values.hpp"
#include "formats/keras/config.hpp"

namespace weighbridge::keras {
namespace {

/// One value: where it goes in the sidecar, and what it is.
struct Leaf {
  std::string path;
  std::string name;  ///< Of an attribute or document; empty for a dataset.
  std::string summary;
  std::string json;
};

using Leaves = std::vector<Leaf>;

void check_size(const std::string& out, const Limits& limits) {
  if (out.size() <= limits.sidecar_bytes) return;
  throw Error(ErrorCode::LimitExceeded,
              fmt::format("the sidecar would exceed its limit of {} bytes", limits.sidecar_bytes));
}

class ModelExtras final : public Extras {
 public:
  ModelExtras(Leaves texts, Leaves attributes, Leaves datasets)
      : texts_(std::move(texts)), attributes_(std::move(attributes)), datasets_(std::move(datasets)) {}

  std::uint64_t count() const override { return texts_.size() + attributes_.size() + datasets_.size(); }

  std::vector<ExtraItem> list(std::uint64_t most) const override {
    std::vector<ExtraItem> items;
    for (const Leaves* leaves : {&texts_, &attributes_, &datasets_}) {
      for (const Leaf& leaf : *leaves) {
        if (items.size() >= most) return items;
        const std::string path = leaf.name.empty() ? leaf.path : fmt::format("{}@{}", leaf.path, leaf.name);
        items.push_back({.path = leaves == &texts_ ? leaf.name : path, .summary = leaf.summary});
      }
    }
    return items;
  }

  /// {"version":1,"keras":{...},"hdf5":{"attributes":{path:{name:value}},"datasets":{path:value}}}
  std::string to_json(const Limits& limits) const override {
    std::string out = "{\"version\":1";
    if (!texts_.empty()) {
      out += ",\"keras\":";
      append_members(out, texts_, true, limits);
    }
    out += ",\"hdf5\":{\"attributes\":{";
    for (std::size_t at = 0; at < attributes_.size();) append_object(out, at, limits);
    out += "},\"datasets\":";
    append_members(out, datasets_, false, limits);
    return out + "}}\n";
  }

 private:
  static void append_members(std::string& out, const Leaves& leaves, bool by_name, const Limits& limits) {
    const char* before = "{";
    for (const Leaf& leaf : leaves) {
      out += before;
      append_json_string(out, by_name ? leaf.name : leaf.path);
      out += ':';
      out += leaf.json;
      before = ",";
      check_size(out, limits);
    }
    out += leaves.empty() ? "{}" : "}";
  }

  /// All attributes of one object, which stand side by side.
  void append_object(std::string& out, std::size_t& at, const Limits& limits) const {
    const std::string& path = attributes_[at].path;
    Leaves members;
    while (at < attributes_.size() && attributes_[at].path == path) members.push_back(attributes_[at++]);
    if (out.back() == '}') out += ',';
    append_json_string(out, path);
    out += ':';
    append_members(out, members, true, limits);
  }

  Leaves texts_;
  Leaves attributes_;
  Leaves datasets_;
};

/// JSON stands for itself; what is none is a text.
std::string document_json(const ModelText& text, const Limits& limits) {
  std::string out;
  try {
    static_cast<void>(parse_config(text.text, text.name, limits));
    return text.text;
  } catch (const Error&) {
    hdf5::append_text(out, text.text);
    return out;
  }
}

/// Names that are no UTF-8 cannot stand in JSON; they are shown as errors show them.
std::string sound(const std::string& text) { return find_invalid_utf8(text) ? printable(text) : text; }

void add_attributes(Leaves& out, const std::string& path, const std::vector<hdf5::Attribute>& attributes) {
  for (const hdf5::Attribute& attribute : attributes) {
    std::string json;
    hdf5::append_attribute(json, attribute);
    out.push_back({sound(path), sound(attribute.name), hdf5::summarize(attribute), std::move(json)});
  }
}

Leaf describe_dataset(const hdf5::Dataset& dataset) {
  Leaf leaf{.path = sound(dataset.path), .name = {}, .summary = dataset.type.text, .json = {}};
  if (dataset.has_texts) {
    leaf.summary = dataset.texts.size() == 1 ? "a text" : fmt::format("{} texts", dataset.texts.size());
    hdf5::append_texts(leaf.json, dataset.texts, *dataset.shape);
    return leaf;
  }
  leaf.summary += dataset.shape ? fmt::format(" {}", shape_text(*dataset.shape)) : ", empty";
  leaf.json = "{\"$summary\":";
  append_json_string(leaf.json, leaf.summary);
  leaf.json += '}';
  return leaf;
}

Leaf describe_left_out(const TensorEntry& tensor) {
  const std::string summary =
      fmt::format("tensor {} {}", dtype_name(tensor.spec.dtype), shape_text(tensor.spec.shape));
  return {.path = sound(tensor.spec.name),
          .name = {},
          .summary = summary + ", not taken",
          .json = fmt::format("{{\"$tensor\":null,\"$summary\":\"{}\"}}", summary)};
}

}  // namespace

std::shared_ptr<const Extras> make_extras(const hdf5::Content& content, const std::vector<ModelText>& texts,
                                          const std::vector<TensorEntry>& left_out, const Limits& limits) {
  Leaves documents;
  for (const ModelText& text : texts) {
    documents.push_back({.path = {},
                         .name = text.name,
                         .summary = fmt::format("JSON of {} bytes", text.text.size()),
                         .json = document_json(text, limits)});
  }
  Leaves attributes;
  for (const hdf5::Group& group : content.groups)
    add_attributes(attributes, "/" + group.path, group.attributes);
  for (const hdf5::Dataset& dataset : content.datasets) {
    add_attributes(attributes, "/" + dataset.path, dataset.attributes);
  }
  Leaves datasets;
  for (const hdf5::Dataset& dataset : content.datasets) {
    if (hdf5::is_no_tensor(dataset)) datasets.push_back(describe_dataset(dataset));
  }
  for (const TensorEntry& tensor : left_out) datasets.push_back(describe_left_out(tensor));
  if (documents.empty() && attributes.empty() && datasets.empty()) return nullptr;
  return std::make_shared<ModelExtras>(std::move(documents), std::move(attributes), std::move(datasets));
}

}  // namespace weighbridge::keras
