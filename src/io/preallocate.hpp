// Space for a file before its bytes.
#pragma once

#include <cstdint>
#include <string>

namespace weighbridge::io {

/// Takes the space at once where the file system can, which is told: a full disk is then found before the
/// work. Throws IoError when there is not enough.
bool preallocate(int descriptor, std::uint64_t bytes, const std::string& path);

}  // namespace weighbridge::io
