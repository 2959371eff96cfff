// How the bytes of a plan are divided among threads and buffers.
//
// A piece is a range of the output that fits a lane's buffer; a job is a range that one thread
// carries out piece by piece, in order. Most jobs are one piece. A source that is neither mapped
// nor a file, an inflated one say, is cheap to read only from front to back: what lies in it is
// one job.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include <weighbridge/write.hpp>

namespace weighbridge::io {

/// Bytes [begin, end) of the output.
struct OutputRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  [[nodiscard]] std::uint64_t size() const noexcept { return end - begin; }
};

/// How many threads work and how large the pieces are; all buffers together are at most 48 MiB.
struct Division {
  unsigned lanes = 1;
  std::uint64_t piece_bytes = 0;
};

/// `threads` as in WriteOptions.
Division divide(std::uint64_t total_bytes, unsigned threads);

/// Jobs that cover the output from first to last byte.
std::vector<OutputRange> plan_jobs(const FilePlan& plan, std::uint64_t piece_bytes);

/// Cuts a job into pieces, in order.
template <typename Visit>
void for_each_piece(OutputRange job, std::uint64_t piece_bytes, Visit visit) {
  for (std::uint64_t at = job.begin; at < job.end; at += piece_bytes) {
    visit(OutputRange{at, job.end - at < piece_bytes ? job.end : at + piece_bytes});
  }
}

/// The part of one step, or of the head (`step` is null), that lies in a piece.
struct Part {
  const CopyStep* step = nullptr;
  std::uint64_t from = 0;         ///< Position in the step's bytes, or in the head.
  std::uint64_t destination = 0;  ///< Byte of the output.
  std::uint64_t bytes = 0;
};

/// An element may be cut by the border of a range; it then belongs to the range behind, whose parts
/// together are larger than the range by at most this.
inline constexpr std::uint64_t kPartOverhang = 8;

/// Visits the parts of `range` in order; they follow each other without a gap.
void for_each_part(const FilePlan& plan, OutputRange range, const std::function<void(const Part&)>& visit);

/// The bytes of a part of the head.
std::span<const std::byte> head_bytes(const FilePlan& plan, const Part& part);

/// Whether the step's source is as cheap to read in any order as from front to back.
bool reads_anywhere(const CopyStep& step);

/// Whether the part's bytes lie in the source as they shall lie in the output.
bool is_straight(const CopyStep& step) noexcept;

}  // namespace weighbridge::io
