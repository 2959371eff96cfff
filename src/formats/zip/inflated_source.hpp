// The content of a deflated entry, readable at any offset.
#pragma once

#include <weighbridge/byte_source.hpp>

#include "formats/zip/archive.hpp"

namespace weighbridge::zip {

/// A source of `entry.bytes` bytes, inflated as they are read from `compressed`, which must be the
/// entry's data and nothing else. What reads cost: formats/compressed/decoded_source.hpp.
///
/// Reads throw MalformedArchive when the stream is damaged, and when it does not end after exactly
/// `entry.bytes` bytes and with the last compressed byte.
[[nodiscard]] SourcePtr inflated_source(SourcePtr compressed, const Entry& entry);

}  // namespace weighbridge::zip
