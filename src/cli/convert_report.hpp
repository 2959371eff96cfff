// What `convert` tells about its work, as text or JSON.
#pragma once

#include <weighbridge/convert.hpp>

#include "cli/convert_options.hpp"

namespace weighbridge::cli {

/// For --dry-run: the input's summary and the layout of the output.
void report_plan(const ConvertCommand& command, const Conversion& conversion);

/// After the write; `seconds` is the time that it took.
void report_conversion(const ConvertCommand& command, const Conversion& conversion,
                       const ConvertReport& report, double seconds);

}  // namespace weighbridge::cli
