// What `scan` is asked to look at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <weighbridge/error.hpp>

namespace weighbridge::cli {

/// A file to be scanned, or a folder that could not be listed.
struct ScanTarget {
  std::string path;
  std::optional<Error> problem = {};  ///< Why it cannot be looked at; none: it is a file.
};

/// The files of `paths` in their order; those of folders by name, with all that is below. Links and
/// special files in folders are left out.
std::vector<ScanTarget> find_scan_targets(const std::vector<std::string>& paths);

}  // namespace weighbridge::cli
