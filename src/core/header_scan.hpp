// The grammar of a safetensors header: text in, records out. The only reader of that grammar.
#pragma once

#include <span>

#include <weighbridge/limits.hpp>

#include "core/header_data.hpp"
#include "core/header_report.hpp"

namespace weighbridge {

/// Fills the tensors (in the order of the text), dims and metadata of `data` from `text`, which is
/// data.text. Violations go to `report`; those behind which the text cannot be followed, and
/// limits that are crossed, are thrown in any case.
/// Gives whether every tensor could be recorded: only then can their layout be judged.
bool scan_header(std::span<char> text, const Limits& limits, HeaderReport& report, Header::Data& data);

}  // namespace weighbridge
