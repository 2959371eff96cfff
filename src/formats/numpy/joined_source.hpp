// Several stretches of bytes as one.
#pragma once

#include <vector>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::numpy {

struct Stretch {
  SourcePtr source;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// A source with the bytes of all stretches, one behind the other. Throws IoError for a stretch that
/// leaves its source, ValidationOverflow when the whole has 2^64 or more bytes.
SourcePtr join(const std::vector<Stretch>& stretches);

}  // namespace weighbridge::numpy
