// The way back: what stands beside the input, and the archive that is made of all of it.
#include <utility>

#include "convert/lacking.hpp"
#include "convert/outputs.hpp"
#include "formats/json/document.hpp"
#include "formats/restore/plan.hpp"
#include "formats/restore/tensors.hpp"

namespace weighbridge {
namespace {

SourcePtr find_beside(const std::string& name, const ConvertOptions& options) {
  return options.open.folder == nullptr ? nullptr : options.open.folder->find(name);
}

/// What makes a file of tensors a checkpoint again.
struct Companions {
  SourcePtr sidecar;  ///< May be null, as may what is below.
  std::optional<Checkpoint> optimizer;
};

/// Beside safetensors there are files of known names; every other format has its tree in itself.
Companions find_companions(Checkpoint& checkpoint, const ConvertOptions& options) {
  Companions found;
  if (options.open.key || !options.use_sidecar || options.passes.change_names()) return found;
  if (checkpoint.extras != nullptr && checkpoint.shards.empty()) {
    found.sidecar = memory_source(Buffer::take(checkpoint.extras->to_json(options.open.limits)));
    found.optimizer = take_optimizer(checkpoint, options.shared);
  } else if (!options.input_name.empty()) {
    const std::string whole = whole_file_name(options.input_name);
    found.sidecar = find_beside(sidecar_file_name(whole), options);
    const SourcePtr optimizer = found.sidecar ? find_beside(optimizer_file_name(whole), options) : nullptr;
    OpenOptions alone = options.open;
    alone.folder = nullptr;
    if (optimizer) found.optimizer = read_checkpoint(optimizer, alone);
    if (found.optimizer) checkpoint.source_bytes += found.optimizer->source_bytes;
  }
  return found;
}

}  // namespace

std::vector<OutputFile> plan_torch_files(Checkpoint& checkpoint, const std::string& output,
                                         const ConvertOptions& options) {
  constexpr std::string_view kTorch = "PyTorch";
  const auto has = [](const TensorSpec& spec) { return restore::has_torch_type(spec.dtype); };
  report_lost_metadata(checkpoint, kTorch);
  replace_lacking(checkpoint, {.name = kTorch, .has = has}, options.lacking);
  const Companions companions = find_companions(checkpoint, options);
  std::optional<json::Document> sidecar;
  if (companions.sidecar) sidecar = restore::parse_sidecar(companions.sidecar, options.open.limits);
  if (sidecar && sidecar->find(0, "tree") == json::kNone) sidecar.reset();  // shards have no common tree
  const restore::Parts parts{.model = checkpoint,
                             .optimizer = sidecar && companions.optimizer ? &*companions.optimizer : nullptr,
                             .sidecar = sidecar ? &*sidecar : nullptr};
  const auto objects = options.drop_objects ? restore::Objects::Drop : restore::Objects::Refuse;
  Findings findings;
  std::vector<OutputFile> files;
  files.push_back(
      {.name = output, .plan = restore::plan_torch_zip(parts, objects, options.open.limits, findings)});
  checkpoint.findings.insert(checkpoint.findings.end(), findings.begin(), findings.end());
  return files;
}

}  // namespace weighbridge
