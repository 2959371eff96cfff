// The way back: safetensors and their sidecar as a checkpoint that torch.load(weights_only=True)
// reads. docs/formats/sidecar.md says what comes back, and what cannot.
#pragma once

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/write.hpp>

#include "formats/json/document.hpp"

namespace weighbridge::restore {

/// What there is to restore from.
struct Parts {
  const Checkpoint& model;
  const Checkpoint* optimizer = nullptr;    ///< Tensors of the second file; may be null.
  const json::Document* sidecar = nullptr;  ///< Null: the tensors come back as one dict.
};

/// What becomes of objects that a careful loader does not admit.
enum class Objects : std::uint8_t {
  Refuse,  ///< Unsupported, naming each.
  Drop,    ///< None in their place, and a finding.
};

/// Parses the text of a sidecar within `limits`. Throws MalformedCheckpoint, LimitExceeded, and
/// Unsupported for another version.
json::Document parse_sidecar(SourcePtr source, const Limits& limits);

/// Lays out a zip archive as torch.save writes it: plain values, containers, tensors and parameters
/// only. Names that the metadata gives as aliases share one storage. Reads no tensor.
/// Throws MalformedCheckpoint for a sidecar that does not fit the tensors, Unsupported for a dtype
/// that torch does not have and for objects, LimitExceeded.
FilePlan plan_torch_zip(const Parts& parts, Objects objects, const Limits& limits, Findings& findings);

}  // namespace weighbridge::restore
