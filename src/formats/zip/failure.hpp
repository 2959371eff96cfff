// How the zip reader words its refusals: the entry made printable, the byte of the archive named.
#pragma once

#include <cstdint>
#include <string_view>

#include <weighbridge/error.hpp>

namespace weighbridge::zip {

/// "zip archive: <what> (byte <offset>)".
[[nodiscard]] Error archive_failure(ErrorCode code, std::string_view what, std::uint64_t offset);

/// "entry '<name>': <what> (byte <offset>)", with the entry as the error's subject.
[[nodiscard]] Error entry_failure(ErrorCode code, std::string_view name, std::string_view what,
                                  std::uint64_t offset);

}  // namespace weighbridge::zip
