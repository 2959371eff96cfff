// The legacy stream as a document: also found inside other pickles, as the argument of
// torch.storage._load_from_bytes.
#pragma once

#include <cstdint>

#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// REQUIRES: looks_like_legacy(*source). `depth` counts the streams around this one.
Document parse_legacy_stream(const SourcePtr& source, std::uint32_t depth, const Limits& limits,
                             Findings& findings);

/// Finds the storages that the graph carries as bytes and adds them to the document.
/// Throws LimitExceeded when streams are nested deeper than limits.archive_depth, and
/// MalformedCheckpoint when the bytes are no legacy stream of one storage.
void add_nested_storages(Document& document, std::uint32_t depth, const Limits& limits, Findings& findings);

}  // namespace weighbridge::torch
