// Formats that are recognised and not read: so that the error can say what a file is.
#pragma once

#include <optional>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>

namespace weighbridge {

/// The error for a file of a format that is known by its first bytes and not read here:
/// Unsupported when it is to be read later, UnknownFormat when it is no checkpoint at all.
std::optional<Error> find_foreign_format(const ByteSource& source);

/// The error for a file that is nothing known.
Error unknown_format(const ByteSource& source);

}  // namespace weighbridge
