// The grammar of a safetensors header: text in, records out. The reader of all of that
// grammar; EntryReader knows the usual part of it, and gives the same.
#pragma once

#include <span>

#include <weighbridge/limits.hpp>

#include "core/header_data.hpp"
#include "core/header_report.hpp"
#include "core/header_room.hpp"

namespace weighbridge {

/// How entries in the usual layout are read. What comes out is the same; tests compare the two.
enum class ScanPath { Quick, General };

/// Where a scan begins: at the start of the text, or behind a member that is in `data` already.
struct ScanStart {
  std::size_t place = 0;
  ScanPath path = ScanPath::Quick;
};

/// Fills the tensors (in the order of the text), dims and metadata of `data` from `text`, which is
/// data.text. Violations go to `report`; those behind which the text cannot be followed, and
/// limits that are crossed, are thrown in any case.
/// Gives whether every tensor could be recorded: only then can their layout be judged.
/// REQUIRES: text that is valid UTF-8, with kTextPadding NULs behind it.
bool scan_header(std::span<char> text, const Limits& limits, HeaderRoom& room, HeaderReport& report,
                 Header::Data& data, ScanStart start = {});

}  // namespace weighbridge
