// Zip archives as the most tolerant readers see them: every header that is anywhere in the file counts,
// flags and checksums do not, and where two headers contradict each other both are right.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::scanning {

/// One way to read an entry.
struct LooseEntry {
  std::string name;
  std::uint16_t method = 0;
  std::uint64_t begin = 0;  ///< Of the data.
  std::uint64_t end = 0;
};

/// All ways to read the archive, in the order of the file; at most `most`.
std::vector<LooseEntry> find_loose_entries(const ByteSource& source, std::size_t most);

/// The data of a stored entry as it is, that of a deflated one as far as it can be inflated, at most
/// `most` bytes; null for any other method.
SourcePtr open_loose_entry(const SourcePtr& source, const LooseEntry& entry, std::uint64_t most);

}  // namespace weighbridge::scanning
