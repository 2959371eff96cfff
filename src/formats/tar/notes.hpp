// Extended headers of POSIX: notes on the next member, or on all that follow.
#pragma once

#include <cstdint>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::tar {

/// Reads the records "<length> <key>=<value>\n" in [offset, offset + bytes), which lie in the
/// source. Throws MalformedArchive when they are malformed, longer than 64 KiB, or say anything that
/// a reader acts on: a name, a size, a link, a sparse file, a character set. Times, owners and
/// comments are passed over.
void check_notes(const ByteSource& source, std::uint64_t offset, std::uint64_t bytes);

}  // namespace weighbridge::tar
