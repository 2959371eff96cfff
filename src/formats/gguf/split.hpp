// Models in several files: model-00001-of-00003.gguf and so on, numbered from 0 by `split.no` of each.
#pragma once

#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/gguf/extras.hpp"
#include "formats/gguf/read.hpp"

namespace weighbridge::gguf {

/// The part that was given and all others, in order; it alone when it is the whole.
/// Throws as gguf::read() does.
[[nodiscard]] std::vector<Part> find_parts(Part given, const OpenOptions& options);

/// The pairs of all parts but those that only say how the model is split: those of the first, and what others
/// have beyond them. A key that has another value in a later part is reported ("KeyValuesNotTaken").
[[nodiscard]] std::vector<StoredPair> join_pairs(const std::vector<Part>& parts, Findings& findings);

}  // namespace weighbridge::gguf
