// Giving back the mappings of files.
#pragma once

#include <cstddef>

namespace weighbridge::io {

/// Undoes ::mmap(). A large mapping is left to a thread of its own, for which nobody waits: the kernel goes
/// through all pages of it that were ever touched, which takes milliseconds. Where no thread is to be had the
/// caller's does it.
void unmap(void* base, std::size_t bytes) noexcept;

}  // namespace weighbridge::io
