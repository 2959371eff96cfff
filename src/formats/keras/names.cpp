#include "formats/keras/names.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "formats/keras/variables.hpp"

namespace weighbridge::keras {
namespace {

using json::Document;
using json::Kind;
using json::kNone;
using json::Node;

std::string_view text_at(const Document& config, Node object, std::string_view key) {
  if (object == kNone) return {};
  const Node node = config.find(object, key);
  return config.is_string(node) ? config.string(node) : std::string_view();
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_word(char c) { return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9') || c == '_'; }

/// An underscore in front of each capital with small letters behind it, as re.sub("(.)([A-Z][a-z]+)") does.
std::string split_words(std::string_view name) {
  std::string out;
  std::size_t at = 0;
  while (at < name.size()) {
    out += name[at++];
    if (at + 1 >= name.size() || !is_upper(name[at]) || !is_lower(name[at + 1])) continue;
    out += '_';
    out += name[at++];
    while (at < name.size() && is_lower(name[at])) out += name[at++];
  }
  return out;
}

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t slash = path.find_first_of("/\\");
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

bool is_container(std::string_view part) {
  return part == "layers" || part == "_layer_checkpoint_dependencies";
}

/// Whether an option of a layer is on: Keras writes all of them.
bool is_on(const Document& config, Node settings, std::string_view option) {
  if (settings == kNone) return true;
  const Node node = config.find(settings, option);
  return node == kNone || config.kind(node) != Kind::Bool || config.boolean(node);
}

/// The layer of `part` in a layer, where its settings say: Bidirectional's, TimeDistributed's.
Node inner_layer(const Document& config, Node settings, std::string_view part) {
  if (settings == kNone) return kNone;
  const std::string_view key = part == "forward_layer" ? "layer" : part;
  const Node inner = config.find(settings, key);
  return text_at(config, inner, "class_name").empty() ? kNone : inner;
}

std::string_view strip_number(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  const bool numbered =
      colon != std::string_view::npos &&
      std::ranges::all_of(name.substr(colon + 1), [](char c) { return c >= '0' && c <= '9'; });
  return numbered ? name.substr(0, colon) : name;
}

}  // namespace

std::string pretty_legacy_name(std::string_view path, Layout layout) {
  const std::string_view root = weights_root(layout);
  if (path.starts_with(root)) path.remove_prefix(root.size());
  path = strip_number(path);
  const std::size_t slash = path.find('/');
  const std::string_view layer = path.substr(0, slash);
  // The weight's own name begins with its layer's again.
  const std::string_view weight = slash == std::string_view::npos ? "" : path.substr(slash + 1);
  const bool twice = weight.size() > layer.size() && weight.starts_with(layer) && weight[layer.size()] == '/';
  std::string name(twice ? weight : path);
  std::ranges::replace(name, '/', '.');
  return name;
}

std::string to_snake_case(std::string_view name) {
  std::string words;
  std::ranges::copy_if(name, std::back_inserter(words), is_word);
  words = split_words(words);
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && is_lower(words[i - 1]) && is_upper(words[i])) out += '_';
    out += words[i];
  }
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

/// Where in the description a path has come to.
struct VariableNames::Place {
  Node node = 0;           ///< A model or layer; kNone where the description says nothing.
  std::string type = {};   ///< Its class.
  bool in_layers = false;  ///< The next part is one of a model's layers.
  bool in_vars = false;    ///< The next part is a variable's number.
  std::vector<std::string> names = {};
};

const VariableNames::Layers& VariableNames::layers_of(Node model) {
  const auto [known, fresh] = layers_.emplace(model, Layers());
  if (!fresh) return known->second;
  const Node settings = config_.find(model, "config");
  // Sequential models of Keras 1 had the list itself there.
  Node list = settings == kNone ? kNone : config_.find(settings, "layers");
  if (settings != kNone && config_.kind(settings) == Kind::Array) list = settings;
  if (list == kNone || config_.kind(list) != Kind::Array) return known->second;
  std::map<std::string, std::uint64_t> used;
  for (Node layer = config_.first(list); layer != kNone; layer = config_.next(layer)) {
    const std::string group = to_snake_case(text_at(config_, layer, "class_name"));
    const std::uint64_t before = used[group]++;
    known->second.emplace(before == 0 ? group : fmt::format("{}_{}", group, before), layer);
  }
  return known->second;
}

void VariableNames::step(Place& place, std::string_view part) {
  const Node settings = place.node == kNone ? kNone : config_.find(place.node, "config");
  if (place.in_vars) {
    const auto options = [&](std::string_view option) { return is_on(config_, settings, option); };
    place.names.push_back(variable_name(place.type, part, options));
    place.in_vars = false;
  } else if (place.in_layers) {
    const Layers* layers = place.node == kNone ? nullptr : &layers_of(place.node);
    const bool known = layers != nullptr && layers->contains(part);
    place.node = known ? layers->find(part)->second : kNone;
    place.type = known ? std::string(text_at(config_, place.node, "class_name")) : std::string();
    const Node inner = known ? config_.find(place.node, "config") : kNone;
    const std::string_view name = text_at(config_, inner, "name");
    place.names.emplace_back(name.empty() ? part : name);
    place.in_layers = false;
  } else if (part == "vars") {
    place.in_vars = true;
  } else if (is_container(part)) {
    place.in_layers = true;
  } else {
    const Node inner = inner_layer(config_, settings, part);
    place.type =
        inner == kNone ? part_type(place.type, part) : std::string(text_at(config_, inner, "class_name"));
    if (inner != kNone) place.node = inner;  // otherwise the part goes by the options of the whole
    place.names.emplace_back(part);
  }
}

std::string VariableNames::name(std::string_view path) {
  Place place{.type = std::string(text_at(config_, 0, "class_name"))};
  for (const std::string_view part : split_path(path)) step(place, part);
  return fmt::format("{}", fmt::join(place.names, "."));
}

}  // namespace weighbridge::keras
