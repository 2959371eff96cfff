// Finds byte patterns anywhere in a source.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::scanning {

/// Offsets of `pattern` in ascending order, at most `most`. One pass, in small pieces.
/// REQUIRES: pattern is not empty.
std::vector<std::uint64_t> find_all(const ByteSource& source, std::string_view pattern, std::size_t most);

}  // namespace weighbridge::scanning
