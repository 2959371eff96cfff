// A file opened once more, for transfers past the page cache.
#pragma once

#include <cstdint>

#include "io/descriptor.hpp"

namespace weighbridge::io {

/// Whole blocks of the file, from and to memory that is aligned.
struct DirectFile {
  Descriptor descriptor = {};          ///< None where there are no direct transfers; errno says why.
  std::uint64_t block_bytes = 1;       ///< Offsets and lengths are multiples of it; it is one of the page.
  std::uint64_t memory_alignment = 1;  ///< Addresses are multiples of it.
};

/// `access` is O_RDONLY, O_WRONLY or O_RDWR.
DirectFile open_direct(int descriptor, int access);

/// The file behind a descriptor, with flags of its own. None, and errno says why, where that cannot be.
Descriptor reopen(int descriptor, int flags);

}  // namespace weighbridge::io
