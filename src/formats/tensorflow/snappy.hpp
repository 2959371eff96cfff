// Snappy, which tables of leveldb may compress their blocks with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weighbridge::tensorflow {

/// The content of one compressed block. Throws MalformedCheckpoint for one that is damaged, LimitExceeded for
/// one that says it has more than `most` bytes.
[[nodiscard]] std::string unpack_snappy(std::string_view packed, std::uint64_t most);

}  // namespace weighbridge::tensorflow
