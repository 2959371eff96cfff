// The steps of a load, checked, sorted and cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <weighbridge/load.hpp>

namespace weighbridge::io {

/// All steps of one source, in order of their bytes there.
struct LoadGroup {
  SourcePtr source;
  std::vector<const LoadStep*> steps;
};

/// A stretch of one step: `bytes` of its result from `from` on.
struct LoadPart {
  const LoadStep* step = nullptr;
  std::uint64_t from = 0;
  std::uint64_t bytes = 0;

  [[nodiscard]] std::span<std::byte> out() const { return step->out.subspan(from, bytes); }
  [[nodiscard]] bool contiguous() const noexcept { return step->runs.contiguous(); }
  /// Where in the source it begins and ends. REQUIRES: contiguous().
  [[nodiscard]] std::uint64_t begin() const noexcept { return step->runs.offset + from; }
  [[nodiscard]] std::uint64_t end() const noexcept { return begin() + bytes; }
};

/// Throws InvalidArgument for memory of the wrong size or given to two steps, IoError for a range that leaves
/// its source.
void check_steps(std::span<const LoadStep> steps);

/// Steps without bytes are in no group. Groups stand in the order of their first steps.
std::vector<LoadGroup> group_steps(std::span<const LoadStep> steps);

/// The steps that are one range of bytes, and those that are not, in parts of at most `largest` bytes.
std::vector<LoadPart> cut_ranges(const LoadGroup& group, std::uint64_t largest);
std::vector<LoadPart> cut_strided(const LoadGroup& group, std::uint64_t largest);

/// How many of `parts`, which are in order of the source, can be read as one range from the first on: none
/// overlaps the one before, and none is further from it than `gap`.
std::size_t count_near(std::span<const LoadPart> parts, std::uint64_t gap);

}  // namespace weighbridge::io
