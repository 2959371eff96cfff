#include "formats/onnx/read.hpp"

#include <algorithm>
#include <unordered_set>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/onnx/content.hpp"
#include "formats/onnx/facts.hpp"
#include "formats/onnx/model.hpp"

namespace weighbridge::onnx {
namespace {

constexpr std::string_view kWholeFile = ".";

// The name below `key`, or nothing when the tensor is not part of it.
std::optional<std::string> select_name(const std::string& name, const std::string& key) {
  if (key == kWholeFile || name == key) return name;
  if (!name.starts_with(key) || (name[key.size()] != '.' && name[key.size()] != '/')) return std::nullopt;
  return name.substr(key.size() + 1);
}

void select_tensors(Checkpoint& checkpoint, const std::string& key) {
  checkpoint.root = key;
  std::vector<TensorEntry> selected;
  for (TensorEntry& entry : checkpoint.tensors) {
    auto name = select_name(entry.spec.name, key);
    if (!name) continue;
    entry.spec.name = *std::move(name);
    selected.push_back(std::move(entry));
  }
  checkpoint.tensors = std::move(selected);
  checkpoint.candidates.push_back({key, checkpoint.tensors.size()});
  if (!checkpoint.tensors.empty() || key == kWholeFile) return;
  throw Error(ErrorCode::NoTensors,
              fmt::format("no tensor is named '{0}' or starts with '{0}.' or '{0}/'", printable(key)), key);
}

/// Names that parts got: "x.values" may be the name of another tensor.
void refuse_collisions(const Checkpoint& checkpoint) {
  std::unordered_set<std::string_view> seen;
  for (const TensorEntry& entry : checkpoint.tensors) {
    if (seen.insert(entry.spec.name).second) continue;
    throw Error(ErrorCode::NameCollision,
                fmt::format("two tensors would be called '{}'", printable(entry.spec.name)), entry.spec.name);
  }
}

/// {"name":{"type":"INT4","shape":[3,5]}}: what no dtype of safetensors says.
std::string restated_json(const std::vector<Restated>& restated) {
  std::string json = "{";
  for (const Restated& tensor : restated) {
    if (json.size() > 1) json += ',';
    append_json_string(json, tensor.name);
    json += R"(:{"type":")" + tensor.type + R"(","shape":[)";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i)
      json += (i == 0 ? "" : ",") + fmt::to_string(tensor.shape[i]);
    json += tensor.sparse ? R"(],"sparse":true})" : "]}";
  }
  return json + "}";
}

void note_restated(const std::vector<Restated>& restated, const Limits& limits, Checkpoint& checkpoint) {
  if (restated.empty()) return;
  checkpoint.metadata->emplace(kRestated, restated_json(restated));
  std::uint64_t noted = 0;
  for (const Restated& tensor : restated) {
    if (tensor.sparse || noted++ >= limits.findings) continue;
    checkpoint.findings.push_back(
        {.severity = Severity::Info,
         .code = "RawIntegers",
         .message = fmt::format("tensor '{}': {} {} is kept as the bytes that the model has",
                                printable(tensor.name), tensor.type, shape_text(tensor.shape)),
         .subject = tensor.name});
  }
}

void note_texts(const std::vector<ExtraItem>& not_taken, Checkpoint& checkpoint) {
  if (not_taken.empty()) return;
  checkpoint.findings.push_back(
      {.severity = Severity::Warning,
       .code = "TextTensors",
       .message = fmt::format(
           "{} tensors hold texts, which no tensor of safetensors can, and are left out ('{}'{})",
           not_taken.size(), printable(not_taken.front().path), not_taken.size() > 1 ? ", ..." : ""),
       .subject = not_taken.front().path});
}

}  // namespace

Checkpoint read(SourcePtr source, const OpenOptions& options) {
  Window window(*source);
  Model model = parse_model(window, options.limits);
  Checkpoint checkpoint;
  checkpoint.format = "onnx";
  checkpoint.metadata = Metadata{{"format", "onnx"}};
  ContentReader content(source, window, options);
  for (const Tensor& tensor : model.tensors) {
    std::ranges::move(content.read(tensor), std::back_inserter(checkpoint.tensors));
  }
  refuse_collisions(checkpoint);
  checkpoint.source_bytes = source->size() + content.external().total_bytes();
  checkpoint.findings = content.external().take_findings();
  note_restated(content.restated(), options.limits, checkpoint);
  std::vector<ExtraItem> not_taken = content.take_not_taken();
  note_texts(not_taken, checkpoint);
  checkpoint.extras = make_extras(std::move(source), std::move(model.facts), std::move(not_taken));
  select_tensors(checkpoint, options.key.value_or(std::string(kWholeFile)));
  return checkpoint;
}

}  // namespace weighbridge::onnx
