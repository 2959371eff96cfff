// What is done to tensors between reading and writing, as options.
#pragma once

#include <weighbridge/convert.hpp>

#include "cli/command.hpp"

namespace weighbridge::cli {

/// --select, --drop, --dtype, --dtype-only, --strip-prefix and --rename.
void add_passes(CLI::App& app, PassOptions& passes);

/// --to and --lacking.
void add_format(CLI::App& app, ConvertOptions& options);

/// The suffix of files of that format.
const char* suffix_of(OutputFormat format);

}  // namespace weighbridge::cli
