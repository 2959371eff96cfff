// Names that only build data, although nothing here knows how.
#pragma once

#include <string_view>

namespace weighbridge::scanning {

/// Whether a loader that imports the name and calls it does no more than build a value: a configuration,
/// a layer, an estimator. Exact names, and classes of packages that hold nothing else in the modules that
/// are listed; a name that is dangerous by any other rule never is.
/// REQUIRES: normalised names, as pickle::Graph gives them.
bool is_benign(std::string_view module, std::string_view name) noexcept;

}  // namespace weighbridge::scanning
