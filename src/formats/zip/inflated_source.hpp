// The content of a deflated entry, readable at any offset.
#pragma once

#include <weighbridge/byte_source.hpp>

#include "formats/zip/archive.hpp"

namespace weighbridge::zip {

/// A source of `entry.bytes` bytes, inflated as they are read from `compressed`, which must be the
/// entry's data and nothing else.
///
/// Reading front to back costs one pass over the data. Once somebody reads out of order, copies of
/// the decoder's state are kept every few MiB, at most 8 MiB of them, and a read costs at most the
/// distance from the nearest one. Concurrent readers take turns.
///
/// Reads throw MalformedArchive when the stream is damaged, and when it does not end after exactly
/// `entry.bytes` bytes and with the last compressed byte.
[[nodiscard]] SourcePtr inflated_source(SourcePtr compressed, const Entry& entry);

}  // namespace weighbridge::zip
