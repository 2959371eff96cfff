#include "formats/keras/layout.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

namespace weighbridge::keras {
namespace {

using hdf5::Attribute;
using hdf5::Content;
using hdf5::Group;

const Group* find_group(const Content& content, std::string_view path) {
  const auto found = std::ranges::find(content.groups, path, &Group::path);
  return found == content.groups.end() ? nullptr : &*found;
}

bool has_list(const Group* group, std::string_view name) {
  if (group == nullptr) return false;
  return find_attribute(group->attributes, name) != nullptr ||
         find_attribute(group->attributes, fmt::format("{}0", name)) != nullptr;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// ".../vars/0"
bool is_variable(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || !is_number(path.substr(slash + 1))) return false;
  const std::string_view group = path.substr(0, slash);
  return group == "vars" || group.ends_with("/vars") || group.ends_with("\\vars");
}

void append_texts(std::vector<std::string>& out, const Attribute& attribute) {
  const bool none = attribute.shape && std::ranges::find(*attribute.shape, 0U) != attribute.shape->end();
  if (none) return;
  const bool texts = attribute.is_read && attribute.type.simple.kind == hdf5::TypeClass::String;
  if (!texts) {
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("the attribute '{}' of a Keras file holds no texts, but {}",
                            printable(attribute.name), attribute.type.text),
                attribute.name);
  }
  out.insert(out.end(), attribute.texts.begin(), attribute.texts.end());
}

/// Places of datasets that a legacy file lists.
class LegacyOrder {
 public:
  LegacyOrder(const Content& content, std::string_view root) : content_(content), root_(root) {
    for (std::size_t i = 0; i < content.datasets.size(); ++i) places_.emplace(content.datasets[i].path, i);
    for (const Group& group : content.groups) groups_.emplace(group.path, &group);
  }

  std::vector<std::size_t> run() && {
    const auto top = groups_.find(root_.substr(0, root_.empty() ? 0 : root_.size() - 1));
    for (const std::string& layer : list_attribute(top->second->attributes, "layer_names")) {
      add_layer(fmt::format("{}{}", root_, layer));
    }
    add_layer(fmt::format("{}top_level_model_weights", root_));
    for (std::size_t i = 0; i < content_.datasets.size(); ++i) add(i);
    return std::move(order_);
  }

 private:
  /// A layer without weights may have no group.
  void add_layer(const std::string& layer) {
    const auto group = groups_.find(layer);
    if (group == groups_.end()) return;
    for (const std::string& weight : list_attribute(group->second->attributes, "weight_names")) {
      const std::string path = fmt::format("{}/{}", layer, weight);
      const auto place = places_.find(path);
      if (place == places_.end()) {
        throw Error(
            ErrorCode::MalformedCheckpoint,
            fmt::format("the Keras file lists the weight '{}', and has no such dataset", printable(path)),
            path);
      }
      add(place->second);
    }
  }

  void add(std::size_t dataset) {
    if (taken_.insert(dataset).second) order_.push_back(dataset);
  }

  const Content& content_;
  std::string_view root_;
  std::map<std::string_view, std::size_t> places_;
  std::map<std::string_view, const Group*> groups_;
  std::set<std::size_t> taken_;
  std::vector<std::size_t> order_;
};

}  // namespace

Layout find_layout(const Content& content) {
  const Group* root = find_group(content, "");
  if (has_list(find_group(content, "model_weights"), "layer_names")) return Layout::LegacyModel;
  if (has_list(root, "layer_names")) return Layout::LegacyWeights;
  const bool variables =
      std::ranges::any_of(content.datasets, [](const auto& d) { return is_variable(d.path); });
  return variables ? Layout::Variables : Layout::None;
}

std::string_view layout_name(Layout layout) noexcept {
  switch (layout) {
    case Layout::None:
      return "hdf5";
    case Layout::LegacyWeights:
    case Layout::LegacyModel:
      return "keras-h5";
    case Layout::Variables:
      break;
  }
  return "keras-weights";
}

std::vector<std::string> list_attribute(const std::vector<Attribute>& attributes, std::string_view name) {
  std::vector<std::string> texts;
  if (const Attribute* whole = find_attribute(attributes, name)) {
    append_texts(texts, *whole);
    return texts;
  }
  for (std::size_t part = 0;; ++part) {
    const Attribute* attribute = find_attribute(attributes, fmt::format("{}{}", name, part));
    if (attribute == nullptr) return texts;
    append_texts(texts, *attribute);
  }
}

void order_by_layers(Content& content, Layout layout) {
  if (layout != Layout::LegacyModel && layout != Layout::LegacyWeights) return;
  const std::vector<std::size_t> order = LegacyOrder(content, weights_root(layout)).run();
  std::vector<hdf5::Dataset> datasets;
  datasets.reserve(order.size());
  for (const std::size_t at : order) datasets.push_back(std::move(content.datasets[at]));
  content.datasets = std::move(datasets);
}

bool is_training_state(Layout layout, std::string_view path) {
  if (layout == Layout::LegacyModel) return path.starts_with("optimizer_weights/");
  if (layout != Layout::Variables) return false;
  constexpr std::array<std::string_view, 4> kGroups = {"optimizer/", "optimizer\\", "metrics/", "metrics\\"};
  return std::ranges::any_of(kGroups, [&](std::string_view group) { return path.starts_with(group); });
}

std::string_view weights_root(Layout layout) noexcept {
  return layout == Layout::LegacyModel ? "model_weights/" : "";
}

}  // namespace weighbridge::keras
