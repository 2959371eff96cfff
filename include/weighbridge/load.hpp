// Loading: tensors and slices of many files into memory of the caller's, in one call.
//
// The memory that load_into() takes for itself is bounded (32 MiB at the most), whatever it loads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/export.hpp>
#include <weighbridge/slice.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge {

/// How the bytes of a file come into memory.
enum class LoadMode : std::uint8_t {
  Auto,    ///< Chosen for each file by where it lies and how much of it is in memory already.
  View,    ///< Copied out of a mapping: of a slice only its pages are touched.
  Copy,    ///< Read through the page cache. Never mapped, so that no failure is a SIGBUS.
  Direct,  ///< Read past the page cache; what is not one range of bytes, through it.
};

/// "auto", "view", "copy" or "direct".
WB_EXPORT std::string_view load_mode_name(LoadMode mode) noexcept;

/// One tensor or slice, and the memory for it.
struct LoadStep {
  SourcePtr source;
  ByteRuns runs;             ///< Absolute in `source`; their total is the size of `out`.
  std::span<std::byte> out;  ///< Nobody else's during the load.
};

struct LoadOptions {
  LoadMode mode = LoadMode::Auto;  ///< What cannot be had is replaced by Copy, and the report says so.
  unsigned threads = 0;            ///< 0: as many as pay.
  bool prefault = true;            ///< Makes the pages of fresh memory in batches ahead of each copy.
  /// Asks for large pages for 4 MiB and more while it makes them, as long as those are faster, in this load
  /// and those before it. The kernel remembers the last wish for the memory of the steps, and for the rest of
  /// a page that lies in it by seven eighths; a MemoryPool's memory lies in whole ones.
  bool large_pages = false;
  bool io_uring = true;  ///< For Direct, where the system allows it; otherwise threads read.
  /// Ranges of one file that are this near to each other, 1 MiB at the most, are read as one.
  std::uint64_t coalesce_gap = std::uint64_t{64} << 10;
  Progress progress = {};
  const std::atomic<bool>* cancel = nullptr;  ///< Polled; set it to stop with Cancelled.
};

/// What was done with one file.
struct LoadedFile {
  std::string name = {};           ///< Its path; empty for what is no file.
  LoadMode mode = LoadMode::Auto;  ///< Never Auto.
  std::string why = {};
  std::uint64_t bytes_wanted = 0;
  std::uint64_t bytes_read = 0;  ///< Asked of the file, with gaps and the rest of blocks.
  bool io_uring = false;
};

struct LoadReport {
  std::vector<LoadedFile> files = {};  ///< In the order of their first steps.
  std::uint64_t bytes_wanted = 0;
  std::uint64_t bytes_read = 0;
  unsigned threads = 0;
  double seconds = 0;
};

/// The report in words, a line for each file and one for all.
WB_EXPORT std::string describe(const LoadReport& report);

/// Fills the memory of all steps. Work is shared out in pieces of some MiB across all tensors and files.
/// On failure the memory holds anything.
/// Throws InvalidArgument before anything is read (memory of the wrong size, or given twice), IoError (also
/// when a file has changed meanwhile), Cancelled, and what `progress` throws.
WB_EXPORT LoadReport load_into(std::span<const LoadStep> steps, const LoadOptions& options = {});

}  // namespace weighbridge
