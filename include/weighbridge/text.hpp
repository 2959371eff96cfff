// Text from a file on its way to a person.
#pragma once

#include <string>
#include <string_view>

#include <weighbridge/export.hpp>

namespace weighbridge {

/// The text with control characters, DEL, invalid UTF-8 and bidirectional overrides written as
/// \xNN for each byte, so that a name from a file cannot steer a terminal. Error and finding
/// messages are printable already; names, paths and metadata are not.
WB_EXPORT std::string printable(std::string_view text);

/// Whether the whole text matches a shell pattern: `*`, `?`, `[...]`, as fnmatch(3) has them without flags.
WB_EXPORT bool matches_glob(const std::string& text, const std::string& glob);

}  // namespace weighbridge
