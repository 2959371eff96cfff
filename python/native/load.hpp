// Loads: their arguments and reports.
#pragma once

#include <string_view>

#include <weighbridge/load.hpp>

#include "module.hpp"

namespace weighbridge::python {

/// "auto", "view", "copy" or "direct". Throws InvalidArgument.
LoadMode load_mode_of(std::string_view name);

/// Options of a load that looks now and then whether Python has a signal to handle, so that Ctrl-C ends it.
LoadOptions interruptible_load();

/// (files, threads, seconds, text): the files as (name, mode, why, bytes_wanted, bytes_read, io_uring).
nb::tuple to_tuple(const LoadReport& report);

}  // namespace weighbridge::python
