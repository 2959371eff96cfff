// GGUF: the pairs that stand beside the input, those that the caller gives, and the file that is made of all.
#include <utility>

#include "convert/lacking.hpp"
#include "convert/outputs.hpp"
#include "formats/gguf/plan.hpp"
#include "formats/gguf/raw.hpp"
#include "formats/json/document.hpp"
#include "formats/restore/plan.hpp"

namespace weighbridge {
namespace {

/// What a GGUF file has beside its tensors comes from the file itself or from the sidecar of one that was
/// made of it.
SourcePtr find_sidecar(const Checkpoint& checkpoint, const ConvertOptions& options) {
  if (!options.use_sidecar) return nullptr;
  if (checkpoint.extras != nullptr) {
    return memory_source(Buffer::take(checkpoint.extras->to_json(options.open.limits)));
  }
  if (options.input_name.empty() || options.open.folder == nullptr) return nullptr;
  return options.open.folder->find(sidecar_file_name(whole_file_name(options.input_name)));
}

gguf::Content find_content(const Checkpoint& checkpoint, const ConvertOptions& options) {
  gguf::Content content;
  const SourcePtr sidecar = find_sidecar(checkpoint, options);
  if (sidecar == nullptr) return content;
  const json::Document document = restore::parse_sidecar(sidecar, options.open.limits);
  const json::Node own = document.find(0, "gguf");
  if (own == json::kNone) return content;  // of another format
  if (const json::Node pairs = document.find(own, "key_values"); pairs != json::kNone) {
    content.pairs = gguf::encode_pairs(document, pairs);
  }
  const json::Node names = document.find(own, "tensors");
  if (names == json::kNone || document.kind(names) != json::Kind::Array) return content;
  for (json::Node name = document.first(names); name != json::kNone; name = document.next(name)) {
    if (document.is_string(name)) content.order.emplace_back(document.string(name));
  }
  return content;
}

/// Blocks that have a second name are blocks under that name, too.
void copy_notes_of_blocks(Checkpoint& checkpoint) {
  if (!checkpoint.metadata) return;
  Metadata notes;
  for (const auto& [alias, kept] : *checkpoint.metadata)
    gguf::copy_raw_notes(*checkpoint.metadata, kept, alias, notes);
  checkpoint.metadata->merge(notes);
}

/// GGUF has neither second names nor all types.
void make_fit(Checkpoint& checkpoint, const ConvertOptions& options) {
  constexpr std::string_view kGguf = "GGUF";
  copy_notes_of_blocks(checkpoint);
  copy_tied(checkpoint, kGguf);
  const auto has = [&](const TensorSpec& spec) {
    return gguf::find_tensor_type(spec.dtype) != nullptr || gguf::find_raw(checkpoint.metadata, spec);
  };
  replace_lacking(checkpoint, {.name = kGguf, .has = has, .bytes = DType::I8}, options.lacking);
  report_lost_metadata(checkpoint, kGguf, [](std::string_view key) {
    return key == gguf::kArchitecture || gguf::is_raw_note(key);
  });
}

}  // namespace

std::vector<OutputFile> plan_gguf_files(Checkpoint& checkpoint, const std::string& output,
                                        const ConvertOptions& options) {
  gguf::Content content = find_content(checkpoint, options);
  for (const std::string& argument : options.gguf_values) {
    gguf::set_pair(content.pairs, gguf::encode_argument(argument));
  }
  make_fit(checkpoint, options);
  Findings findings;
  std::vector<OutputFile> files;
  files.push_back({.name = output,
                   .plan = gguf::plan_gguf(checkpoint, std::move(content), options.quantize == Quantize::Q8_0,
                                           options.open.limits, findings)});
  checkpoint.findings.insert(checkpoint.findings.end(), findings.begin(), findings.end());
  return files;
}

}  // namespace weighbridge
