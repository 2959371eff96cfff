#include "io/direct_file.hpp"

#include <algorithm>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "io/pages.hpp"

namespace weighbridge::io {

// Through /proc, because a descriptor's flags belong to everybody who has a copy of it.
Descriptor reopen(int descriptor, int flags) {
  const std::string path = fmt::format("/proc/self/fd/{}", descriptor);
  return Descriptor(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY));
}

DirectFile open_direct(int descriptor, int access) {
  // A page is what every disk and file system takes, and what the page cache shares with nothing else.
  DirectFile file{.descriptor = reopen(descriptor, access | O_DIRECT),
                  .block_bytes = page_bytes(),
                  .memory_alignment = page_bytes()};
#ifdef STATX_DIOALIGN
  struct statx status{};
  if (!file.descriptor || ::statx(file.descriptor.get(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) != 0)
    return file;
  if ((status.stx_mask & STATX_DIOALIGN) == 0 || status.stx_dio_offset_align == 0) return file;
  file.block_bytes = std::max<std::uint64_t>(page_bytes(), status.stx_dio_offset_align);
  file.memory_alignment = status.stx_dio_mem_align;
#endif
  return file;
}

}  // namespace weighbridge::io
