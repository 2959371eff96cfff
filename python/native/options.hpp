// Arguments that several functions share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <weighbridge/header.hpp>
#include <weighbridge/write.hpp>

#include "module.hpp"

namespace weighbridge::python {

/// "none", "data" or "full". Throws InvalidArgument.
Durability durability_of(std::string_view name);

/// A dict of str, or None. Throws TypeError for anything else in it.
std::optional<Metadata> metadata_of(const nb::object& dict);

/// Options of a write that looks now and then whether Python has a signal to handle, so that Ctrl-C ends it.
WriteOptions interruptible(Durability durability, bool overwrite);

}  // namespace weighbridge::python
