#include "formats/keras/config.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "formats/pickle/globals.hpp"

namespace weighbridge::keras {
namespace {

using json::Document;
using json::Kind;
using json::Node;

constexpr std::uint64_t kMostValues = 5'000'000;
constexpr std::uint32_t kMostDepth = 512;

/// Packages whose layers a loader of Keras builds as a matter of course.
constexpr std::array<std::string_view, 8> kPackages = {"keras",     "keras_core", "keras_cv",   "keras_hub",
                                                       "keras_nlp", "tf_keras",   "tensorflow", "builtins"};

struct Gadget {
  std::string_view name;
  std::string_view reason;
};

/// Functions within those packages that do more than compute.
constexpr std::array kFunctions = {
    Gadget{"enable_unsafe_deserialization", "switches the loader's own checks off (CVE-2025-9906)"},
    Gadget{"get_file", "downloads and unpacks files (CVE-2025-8747)"},
    Gadget{"load_model", "loads another model"},
    Gadget{"load_weights", "reads another file"},
    Gadget{"load_img", "reads files"},
    Gadget{"save_img", "writes files"},
    Gadget{"save_model", "writes files"},
    Gadget{"pip_import", "installs packages"},
    Gadget{"plot_model", "runs programs and writes files"},
    Gadget{"deserialize_keras_object", "loads another description"},
    Gadget{"func_load", "runs Python code"},
    Gadget{"python_utils", "runs Python code"},
};

/// Layers that carry code, or load it.
constexpr std::array kLayers = {
    Gadget{"Lambda", "a Lambda layer: its loader runs the Python bytecode in it"},
    Gadget{"__lambda__", "a Python function as bytecode, which the loader would make and the model run"},
    Gadget{"TorchModuleWrapper", "a pickled PyTorch module, which the loader would unpickle"},
    Gadget{"TFSMLayer", "a layer that loads a SavedModel from any path"},
};

constexpr std::array<std::string_view, 5> kLookups = {"StringLookup", "IntegerLookup", "IndexLookup",
                                                      "TextVectorization", "Hashing"};

std::string_view text_at(const Document& config, Node object, std::string_view key) {
  const Node node = config.find(object, key);
  return config.is_string(node) ? config.string(node) : std::string_view();
}

std::string_view package_of(std::string_view module) { return module.substr(0, module.find('.')); }

template <std::size_t N>
const Gadget* find_gadget(const std::array<Gadget, N>& table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &Gadget::name);
  return found == table.end() ? nullptr : &*found;
}

class Inspector {
 public:
  Inspector(const Document& config, const Limits& limits) : config_(config), limits_(limits) {}

  Findings run() && {
    std::vector<Node> open = {0};
    while (!open.empty()) {
      const Node node = open.back();
      open.pop_back();
      if (config_.kind(node) == Kind::Object) inspect(node);
      if (config_.kind(node) != Kind::Object && config_.kind(node) != Kind::Array) continue;
      for (Node at = config_.first(node); at != json::kNone; at = config_.next(at)) open.push_back(at);
    }
    // In their order, but for what is dangerous.
    Findings ordered = std::move(dangers_);
    std::ranges::move(findings_, std::back_inserter(ordered));
    return ordered;
  }

 private:
  void inspect(Node object) {
    const std::string_view type = text_at(config_, object, "class_name");
    inspect_marshalled(object);
    if (type.empty()) return;
    if (const Gadget* layer = find_gadget(kLayers, type)) {
      add(Severity::Danger, type == "Lambda" || type == "__lambda__" ? "KerasLambda" : "KerasCode", object,
          layer->reason);
      return;
    }
    inspect_vocabulary(object, type);
    const std::string_view module = text_at(config_, object, "module");
    if (type == "function") {
      inspect_function(object, module, text_at(config_, object, "config"));
    } else if (!inspect_function(object, module, type)) {
      inspect_custom(object, type, module);
    }
  }

  /// Keras 2 had functions as [bytecode, defaults, closure] beside "function_type": "lambda".
  void inspect_marshalled(Node object) {
    for (const std::string_view key : {"function_type", "output_shape_type", "mask_type"}) {
      if (text_at(config_, object, key) != "lambda") continue;
      add(Severity::Danger, "KerasLambda", object,
          "a Python function as bytecode, which the loader would run");
    }
  }

  /// Gives whether there was something to say.
  bool inspect_function(Node object, std::string_view module, std::string_view name) {
    const std::size_t point = name.rfind('.');
    const std::string_view last = point == std::string_view::npos ? name : name.substr(point + 1);
    if (const Gadget* gadget = find_gadget(kFunctions, last)) {
      add(Severity::Danger, "KerasCode", object,
          fmt::format("'{}.{}', which {}", module, name, gadget->reason));
      return true;
    }
    const bool plain =
        package_of(module) == "builtins" && (name == "str" || name == "function" || name == "list" ||
                                             name == "dict" || name == "tuple" || name == "slice");
    if (module.empty() || plain || is_of_keras(module)) return false;
    if (const std::string_view reason = pickle::danger_of(module, name); !reason.empty()) {
      add(Severity::Danger, "KerasCode", object,
          fmt::format("'{}.{}', which {}; old loaders import and call it (CVE-2025-1550)", module, name,
                      reason));
      return true;
    }
    return false;
  }

  static bool is_of_keras(std::string_view module) {
    const std::string_view package = package_of(module);
    return package != "builtins" && std::ranges::find(kPackages, package) != kPackages.end();
  }

  void inspect_custom(Node object, std::string_view type, std::string_view module) {
    const std::string_view registered = text_at(config_, object, "registered_name");
    const bool foreign =
        !module.empty() && std::ranges::find(kPackages, package_of(module)) == kPackages.end();
    // The package stands before the '>'; files of the legacy format have such a name as the class.
    const auto is_registered = [](std::string_view name) { return name.find('>') != std::string_view::npos; };
    if (!foreign && !is_registered(registered) && !is_registered(type)) return;
    add(Severity::Warning, "KerasCustomObject", object,
        fmt::format("'{}{}{}', which is no part of Keras: its loader imports it", module,
                    module.empty() ? "" : ".", registered.empty() ? type : registered));
  }

  /// A list is the vocabulary itself; a text is the name of a file that the loader reads.
  void inspect_vocabulary(Node object, std::string_view type) {
    if (std::ranges::find(kLookups, type) == kLookups.end()) return;
    const Node settings = config_.find(object, "config");
    for (const std::string_view key : {"vocabulary", "idf_weights"}) {
      const std::string_view file =
          settings == json::kNone ? std::string_view() : text_at(config_, settings, key);
      if (file.empty()) continue;
      add(Severity::Danger, "KerasFileAccess", object,
          fmt::format("a {} whose {} is the file '{}', which the loader reads (CVE-2025-12058)", type, key,
                      file));
    }
  }

  [[nodiscard]] std::string name_of(Node object) const {
    const Node settings = config_.find(object, "config");
    std::string_view name = text_at(config_, object, "name");
    if (settings != json::kNone && config_.kind(settings) == Kind::Object) {
      const std::string_view inner = text_at(config_, settings, "name");
      if (!inner.empty()) name = inner;
    }
    return std::string(name);
  }

  void add(Severity severity, std::string_view code, Node object, std::string_view what) {
    if (++counts_[std::string(code)] > limits_.findings) return;
    const std::string name = name_of(object);
    const std::string where = name.empty() ? "" : fmt::format(" ('{}')", name);
    auto& findings = severity == Severity::Danger ? dangers_ : findings_;
    findings.push_back({.severity = severity,
                        .code = std::string(code),
                        .message = printable(fmt::format("the model's description{} has {}", where, what)),
                        .subject = name,
                        .offset = std::nullopt});
  }

  const Document& config_;
  const Limits& limits_;
  Findings dangers_;
  Findings findings_;
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace

Document parse_config(std::string_view text, std::string_view what, const Limits& limits) {
  if (text.size() > limits.header_bytes) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("{} has {} bytes, the limit is {}", what, text.size(), limits.header_bytes));
  }
  return json::parse(text, what, {.values = kMostValues, .depth = kMostDepth});
}

bool names_classes(std::string_view text, const Limits& limits) {
  try {
    const Document document = parse_config(text, "a description", limits);
    std::vector<Node> open = {0};
    while (!open.empty()) {
      const Node node = open.back();
      open.pop_back();
      if (document.key(node) == "class_name") return true;
      if (document.kind(node) != Kind::Object && document.kind(node) != Kind::Array) continue;
      for (Node at = document.first(node); at != json::kNone; at = document.next(at)) open.push_back(at);
    }
    return false;
  } catch (const Error&) {
    std::string plain(text);
    std::erase(plain, '\0');  // UTF-16 and UTF-32
    return plain.find("class_name") != std::string::npos || plain.find("\\u00") != std::string::npos;
  }
}

Findings inspect_config(const Document& config, const Limits& limits) {
  return Inspector(config, limits).run();
}

Findings inspect_text(std::string_view text, std::string_view what, const Limits& limits) {
  try {
    return inspect_config(parse_config(text, what, limits), limits);
  } catch (const Error& error) {
    return {{.severity = Severity::Warning,
             .code = "KerasConfigUnreadable",
             .message = fmt::format("what it describes cannot be told: {}", error.what()),
             .subject = std::string(what),
             .offset = std::nullopt}};
  }
}

}  // namespace weighbridge::keras
