#include "formats/keras/read.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/hdf5/library.hpp"
#include "formats/hdf5/tensors.hpp"
#include "formats/keras/config.hpp"
#include "formats/keras/names.hpp"

namespace weighbridge::keras {
namespace {

constexpr std::string_view kSignature{"\x89HDF\r\n\x1A\n", 8};

bool has_signature(const ByteSource& source, std::uint64_t at) {
  std::array<char, kSignature.size()> bytes{};
  if (source.size() < at || source.size() - at < bytes.size()) return false;
  source.read_at(at, std::as_writable_bytes(std::span(bytes)));
  return std::string_view(bytes.data(), bytes.size()) == kSignature;
}

/// Texts of the root of a legacy file that stand in the sidecar as documents.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kTexts = {
    {{"model_config", "config"}, {"training_config", "training_config"}}};

const std::string* find_config(const std::vector<ModelText>& texts) {
  const auto found = std::ranges::find(texts, "config", &ModelText::name);
  return found == texts.end() ? nullptr : &found->text;
}

/// Tensors of a sub-tree, named from there on.
void take_key(std::vector<TensorEntry>& tensors, std::string_view key) {
  while (key.ends_with('/')) key.remove_suffix(1);
  while (key.starts_with('/')) key.remove_prefix(1);
  std::erase_if(tensors, [&](const TensorEntry& tensor) {
    const std::string_view name = tensor.spec.name;
    return !(name.size() > key.size() && name.starts_with(key) && name[key.size()] == '/');
  });
  for (TensorEntry& tensor : tensors) tensor.spec.name.erase(0, key.size() + 1);
}

void check_names(const std::vector<TensorEntry>& tensors) {
  std::set<std::string_view> names;
  for (const TensorEntry& tensor : tensors) {
    if (names.insert(tensor.spec.name).second) continue;
    throw Error(ErrorCode::NameCollision,
                fmt::format("two tensors would be named '{}'; --names exact keeps their paths",
                            printable(tensor.spec.name)),
                tensor.spec.name);
  }
}

class Assembler {
 public:
  Assembler(hdf5::Content content, std::vector<ModelText> texts, const OpenOptions& options)
      : content_(std::move(content)), texts_(std::move(texts)), options_(options) {}

  Checkpoint run() && {
    layout_ = find_layout(content_);
    order_by_layers(content_, layout_);
    out_.format = layout_name(layout_);
    out_.findings = std::move(content_.findings);
    inspect();
    out_.tensors = hdf5::find_tensors(content_.datasets, options_, out_.findings);
    std::vector<TensorEntry> left_out = separate_training();
    if (options_.key && *options_.key != ".") choose_key();
    if (options_.names == NamePolicy::Pretty) make_pretty();
    check_names(out_.tensors);
    check_names(out_.optimizer);
    report_left_out(left_out.size());
    out_.extras = make_extras(content_, texts_, left_out, options_.limits);
    out_.candidates.push_back({out_.root, out_.tensors.size()});
    return std::move(out_);
  }

 private:
  void inspect() {
    for (const ModelText& text : texts_) {
      if (text.name == "metadata") continue;  // versions and dates
      for (Finding& finding : inspect_text(text.text, text.name, options_.limits)) {
        out_.findings.push_back(std::move(finding));
      }
    }
  }

  /// Gives the tensors that are left out.
  std::vector<TensorEntry> separate_training() {
    if (options_.key || options_.optimizer == OptimizerPolicy::Inline) return {};
    std::vector<TensorEntry> kept;
    std::vector<TensorEntry> training;
    for (TensorEntry& tensor : out_.tensors) {
      const bool is_training = is_training_state(layout_, tensor.spec.name);
      (is_training ? training : kept).push_back(std::move(tensor));
    }
    if (kept.empty()) {  // a file of nothing but an optimizer is what it is
      out_.tensors = std::move(training);
      return {};
    }
    out_.tensors = std::move(kept);
    if (options_.optimizer == OptimizerPolicy::Separate) {
      out_.optimizer = std::move(training);
      return {};
    }
    return training;
  }

  void report_left_out(std::size_t count) {
    if (count == 0) return;
    out_.findings.push_back(
        {.severity = Severity::Info,
         .code = "TensorsNotTaken",
         .message = fmt::format("{} tensors are state of training and not taken; --optimizer "
                                "separate or inline takes them",
                                count),
         .subject = {},
         .offset = std::nullopt});
  }

  void choose_key() {
    take_key(out_.tensors, *options_.key);
    out_.root = *options_.key;
  }

  /// Of the optimizer's and metrics' variables nobody says what they are.
  void make_pretty() {
    const std::string* text = find_config(texts_);
    const json::Document config = json_or_none(text);
    VariableNames names(config);
    for (TensorEntry& tensor : out_.tensors) {
      if (is_training_state(layout_, tensor.spec.name)) continue;
      std::string& name = tensor.spec.name;
      if (layout_ == Layout::Variables) name = names.name(name);
      if (layout_ == Layout::LegacyModel || layout_ == Layout::LegacyWeights) {
        name = pretty_legacy_name(name, layout_);
      }
    }
    if (layout_ == Layout::Variables && text == nullptr) {
      out_.findings.push_back({.severity = Severity::Warning,
                               .code = "NamesUnknown",
                               .message =
                                   "the file has no description of its model, so that variables keep their "
                                   "numbers; a .keras file has one",
                               .subject = {},
                               .offset = std::nullopt});
    }
  }

  [[nodiscard]] json::Document json_or_none(const std::string* text) const {
    if (text == nullptr) return json::parse("{}", "nothing");
    try {
      return parse_config(*text, "the model's description", options_.limits);
    } catch (const Error&) {
      return json::parse("{}", "nothing");  // inspect() tells of it
    }
  }

  hdf5::Content content_;
  std::vector<ModelText> texts_;
  const OpenOptions& options_;
  Layout layout_ = Layout::None;
  Checkpoint out_;
};

}  // namespace

bool looks_like_hdf5(const ByteSource& source) {
  constexpr std::uint64_t kMostUserBlock = std::uint64_t{1} << 20;
  if (has_signature(source, 0)) return true;
  // Other programs' data may stand in front, of a size that is a power of two.
  for (std::uint64_t at = 512; at <= kMostUserBlock; at *= 2) {
    if (has_signature(source, at)) return true;
  }
  return false;
}

hdf5::Content parse_hdf5(const SourcePtr& source, const OpenOptions& options) {
  if (options.hdf5 != nullptr) return options.hdf5->read(source, options.limits);
  throw Error(
      ErrorCode::Unsupported,
      "this is an HDF5 file, which the weighbridge program reads in its worker alone: nowhere else, and "
      "not with --sandbox off");
}

std::vector<ModelText> take_model_texts(hdf5::Content& content) {
  std::vector<ModelText> texts;
  auto& attributes = content.groups.front().attributes;
  for (const auto& [attribute, name] : kTexts) {
    const auto text = hdf5::text_of(find_attribute(attributes, attribute));
    if (!text) continue;
    texts.push_back({.name = std::string(name), .text = std::string(*text)});
    std::erase_if(attributes, [&](const hdf5::Attribute& candidate) { return candidate.name == attribute; });
  }
  return texts;
}

Checkpoint assemble(hdf5::Content content, std::vector<ModelText> texts, const OpenOptions& options) {
  return Assembler(std::move(content), std::move(texts), options).run();
}

Checkpoint read_hdf5(SourcePtr source, const OpenOptions& options) {
  hdf5::Content content = parse_hdf5(source, options);
  std::vector<ModelText> texts = take_model_texts(content);
  return assemble(std::move(content), std::move(texts), options);
}

}  // namespace weighbridge::keras
