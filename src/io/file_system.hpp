// What kind of file, on what kind of file system.
#pragma once

#include <string_view>

#include <sys/types.h>

namespace weighbridge::io {

/// Throws IoError, naming what the file is instead, unless `mode` (of stat) is a regular file's.
void require_regular(mode_t mode, std::string_view path);

/// Whether the file's pages are this machine's own: on a network or user-space file system a
/// mapping turns every failure into SIGBUS and every fault into a round trip.
bool is_local(int descriptor) noexcept;

/// Whether a copy inside the kernel may give a file the blocks of another, which takes no time, or the file
/// system is not known.
bool may_share_blocks(int descriptor) noexcept;

}  // namespace weighbridge::io
