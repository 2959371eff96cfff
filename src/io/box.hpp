// Regular grids of bytes: what a range of positions of ByteRuns is made of, and how it is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <weighbridge/slice.hpp>

namespace weighbridge::io {

/// One direction of a grid: `count` units, so many bytes apart in the source and in the output.
struct BoxLoop {
  std::uint64_t count = 0;
  std::uint64_t source_stride = 0;
  std::uint64_t out_stride = 0;
};

/// A grid of units of `unit` bytes which fills `out_bytes` contiguous bytes of the output.
/// The loops stand in order of the source: the largest source stride first.
struct Box {
  std::uint64_t source = 0;  ///< Byte of the source where the first unit lies.
  std::uint64_t unit = 0;
  std::uint64_t out_bytes = 0;
  std::vector<BoxLoop> loops;

  /// Bytes of the source from the first unit to the end of the last.
  [[nodiscard]] std::uint64_t source_span() const noexcept;
};

/// Whether the last byte of the runs lies inside a source of so many bytes, computed without wrapping around.
bool runs_fit(const ByteRuns& runs, std::uint64_t source_bytes) noexcept;

/// Positions [begin, end) of `runs` as grids that follow each other: at most two for each loop.
/// REQUIRES: begin <= end <= runs.total_bytes, and runs whose last byte has an offset below 2^64.
std::vector<Box> cut_boxes(const ByteRuns& runs, std::uint64_t begin, std::uint64_t end);

/// Copies a grid in memory: `loops` as in Box, `source` and `out` at its first unit.
void copy_box(const std::byte* source, std::span<const BoxLoop> loops, std::uint64_t unit, std::byte* out);

}  // namespace weighbridge::io
