// A table of leveldb: sorted keys and values in blocks, as the index of a TensorFlow checkpoint.
#pragma once

#include <functional>
#include <string_view>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>

namespace weighbridge::tensorflow {

/// Whether the file ends as a table does.
[[nodiscard]] bool looks_like_table(const ByteSource& source);

/// Both are valid during the call.
using TableVisitor = std::function<void(std::string_view key, std::string_view value)>;

/// Visits every entry in its order; the checksum of each block is checked first. One block is in memory at a
/// time, whose size limits.header_bytes bounds.
/// Throws MalformedCheckpoint, LimitExceeded, and what the visitor throws.
void visit_table(const ByteSource& source, const Limits& limits, const TableVisitor& visit);

}  // namespace weighbridge::tensorflow
