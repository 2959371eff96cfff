// Memory in large pages, for what is megabytes long and is touched once.
//
// A new page costs as much as some two hundred tensors of a header take to read; in pages of 2 MiB the
// records of 100 000 tensors take a tenth of the time that they take in pages of 4 KiB.
#pragma once

#include <memory_resource>

#include <weighbridge/export.hpp>

namespace weighbridge {

/// Blocks of 512 KiB and more are mapped, and lie in large pages where the kernel gives them to those who
/// ask (`madvise` or `always` in /sys/kernel/mm/transparent_hugepage/enabled); smaller ones come
/// from `operator new`. The last page of a block may take up to 2 MiB more than was asked for. Lives as
/// long as the process; any thread may use it. Throws std::bad_alloc.
WB_EXPORT std::pmr::memory_resource& large_page_memory() noexcept;

}  // namespace weighbridge
