// What is no tensor, as a list and as JSON.
#include <algorithm>
#include <set>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/onnx/facts.hpp"
#include "formats/onnx/node.hpp"

namespace weighbridge::onnx {
namespace {

constexpr std::uint64_t kMostShown = 80;

/// JSON of bounded size.
class Json {
 public:
  explicit Json(std::uint64_t most) : most_(most) {}

  void raw(std::string_view text) {
    text_ += text;
    if (text_.size() <= most_) return;
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("the sidecar would exceed its limit of {} bytes", most_));
  }
  void text(std::string_view value) {
    append_json_string(text_, value);
    raw("");
  }
  /// The comma, unless this is the first of its kind.
  void next() {
    if (text_.back() != '{' && text_.back() != '[') text_ += ',';
  }
  void key(std::string_view name) {
    next();
    text(name);
    raw(":");
  }
  std::string take() && { return std::move(text_); }

 private:
  std::string text_;
  std::uint64_t most_;
};

class ModelExtras final : public Extras {
 public:
  ModelExtras(SourcePtr source, Facts facts, std::vector<ExtraItem> not_taken)
      : source_(std::move(source)), facts_(std::move(facts)), not_taken_(std::move(not_taken)) {}

  std::uint64_t count() const override { return items(UINT64_MAX).size(); }
  std::vector<ExtraItem> list(std::uint64_t most) const override { return items(most); }
  std::string to_json(const Limits& limits) const override;

 private:
  std::vector<ExtraItem> items(std::uint64_t most) const;
  void write_numbers(Json& json) const;
  void write_texts(Json& json, const Limits& limits) const;
  void write_graph(Json& json) const;
  void write_not_taken(Json& json) const;

  SourcePtr source_;
  Facts facts_;
  std::vector<ExtraItem> not_taken_;
};

std::string text_summary(Window& window, const Field& field) {
  const std::uint64_t shown = std::min(field.value, kMostShown);
  const auto bytes = window.peek(field.content.begin, static_cast<std::size_t>(shown));
  const std::string text = printable({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return shown == field.value ? fmt::format("str '{}'", text)
                              : fmt::format("str '{}...' of {} bytes", text, field.value);
}

std::string operators_text(const Facts& facts) {
  std::uint64_t nodes = 0;
  for (const auto& [type, count] : facts.operators) nodes += count;
  return fmt::format("{} nodes of {} types", nodes, facts.operators.size());
}

std::vector<ExtraItem> ModelExtras::items(std::uint64_t most) const {
  Window window(*source_);
  std::vector<ExtraItem> items;
  const auto add = [&](const std::string& path, const auto& summary) {
    if (items.size() < most) items.push_back({.path = path, .summary = summary()});
  };
  if (facts_.ir_version) add("ir_version", [&] { return fmt::format("int {}", *facts_.ir_version); });
  if (facts_.model_version)
    add("model_version", [&] { return fmt::format("int {}", *facts_.model_version); });
  for (const auto& [name, field] : facts_.texts) add(name, [&] { return text_summary(window, field); });
  for (const auto& [domain, version] : facts_.opsets) {
    add("opset_import." + (domain.empty() ? "ai.onnx" : domain),
        [&] { return fmt::format("int {}", version); });
  }
  for (const auto& [key, field] : facts_.properties) {
    add("metadata_props." + key, [&] { return text_summary(window, field); });
  }
  for (const Port& port : facts_.inputs) add("graph.input." + port.name, [&] { return port.type; });
  for (const Port& port : facts_.outputs) add("graph.output." + port.name, [&] { return port.type; });
  if (!facts_.operators.empty()) add("graph.node", [&] { return operators_text(facts_); });
  for (const FunctionId& id : facts_.functions) {
    add("functions." + function_text(id), [] { return std::string("function"); });
  }
  for (const ExtraItem& item : not_taken_) add(item.path, [&] { return item.summary; });
  return items;
}

void ModelExtras::write_numbers(Json& json) const {
  if (facts_.ir_version) {
    json.key("ir_version");
    json.raw(fmt::to_string(*facts_.ir_version));
  }
  if (facts_.model_version) {
    json.key("model_version");
    json.raw(fmt::to_string(*facts_.model_version));
  }
  json.key("opset_import");
  json.raw("{");
  std::set<std::string_view> seen;
  for (const auto& [domain, version] : facts_.opsets) {
    if (!seen.insert(domain).second) continue;
    json.key(domain);
    json.raw(fmt::to_string(version));
  }
  json.raw("}");
}

void ModelExtras::write_texts(Json& json, const Limits& limits) const {
  Window window(*source_);
  for (const auto& [name, field] : facts_.texts) {
    json.key(name);
    json.text(read_text(window, field, name, limits.sidecar_bytes));
  }
  json.key("metadata_props");
  json.raw("[");
  for (const auto& [key, field] : facts_.properties) {
    json.next();
    json.raw("[");
    json.text(key);
    json.raw(",");
    json.text(read_text(window, field, "a value of the metadata", limits.sidecar_bytes));
    json.raw("]");
  }
  json.raw("]");
}

void write_ports(Json& json, std::string_view name, const std::vector<Port>& ports) {
  json.key(name);
  json.raw("[");
  for (const Port& port : ports) {
    json.next();
    json.raw("[");
    json.text(port.name);
    json.raw(",");
    json.text(port.type);
    json.raw("]");
  }
  json.raw("]");
}

void ModelExtras::write_graph(Json& json) const {
  write_ports(json, "inputs", facts_.inputs);
  write_ports(json, "outputs", facts_.outputs);
  json.key("operators");
  json.raw("{");
  for (const auto& [type, count] : facts_.operators) {
    json.key(type.first.empty() ? type.second : fmt::format("{}::{}", type.first, type.second));
    json.raw(fmt::to_string(count));
  }
  json.raw("}");
  json.key("functions");
  json.raw("[");
  for (const FunctionId& id : facts_.functions) {
    json.next();
    json.text(function_text(id));
  }
  json.raw("]");
}

void ModelExtras::write_not_taken(Json& json) const {
  if (not_taken_.empty()) return;
  json.key("not_taken");
  json.raw("[");
  for (const ExtraItem& item : not_taken_) {
    json.next();
    json.raw("[");
    json.text(item.path);
    json.raw(",");
    json.text(item.summary);
    json.raw("]");
  }
  json.raw("]");
}

std::string ModelExtras::to_json(const Limits& limits) const {
  Json json(limits.sidecar_bytes);
  json.raw("{\"version\":1,\"onnx\":{");
  write_numbers(json);
  write_texts(json, limits);
  write_graph(json);
  write_not_taken(json);
  json.raw("}}\n");
  return std::move(json).take();
}

}  // namespace

std::shared_ptr<const Extras> make_extras(SourcePtr source, Facts facts, std::vector<ExtraItem> not_taken) {
  return std::make_shared<ModelExtras>(std::move(source), std::move(facts), std::move(not_taken));
}

}  // namespace weighbridge::onnx
