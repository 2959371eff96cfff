#include "io/pieces.hpp"

#include <algorithm>

#include "io/processors.hpp"
#include "io/transform.hpp"

namespace weighbridge::io {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kAllBuffers = 48 * kMiB;
constexpr std::uint64_t kLargestPiece = 24 * kMiB;  // the wider, the fewer reads a transposed tensor takes
constexpr unsigned kMostLanes = 12;                 // each may need another MiB of scratch
constexpr unsigned kUsualLanes = 4;                 // writes to one file soon wait for its lock
constexpr std::uint64_t kWorthThreads = 32 * kMiB;

/// End of the stretch of steps from `first` on that is one job, or `first` when there is none.
std::size_t end_of_sequence(const FilePlan& plan, std::size_t first) {
  const auto& steps = plan.steps;
  if (reads_anywhere(steps[first])) return first;
  std::size_t end = first + 1;
  while (end < steps.size() && steps[end].source == steps[first].source) ++end;
  return end;
}

void append_pieces(std::vector<OutputRange>& jobs, OutputRange range, std::uint64_t piece_bytes) {
  for_each_piece(range, piece_bytes, [&jobs](OutputRange piece) { jobs.push_back(piece); });
}

std::uint64_t end_of(const CopyStep& step) { return step.destination + step.runs.total_bytes; }

/// Where a step is cut when a range ends at `position`: at a whole element. Ranges that meet there
/// agree on it, so that together they still cover every byte once.
std::uint64_t cut_step(const CopyStep& step, std::uint64_t position) {
  const std::uint64_t from = std::clamp(position, step.destination, end_of(step)) - step.destination;
  return from - from % transform_width(step.transform);
}

}  // namespace

Division divide(std::uint64_t total_bytes, unsigned threads) {
  if (threads == 0) {
    threads = total_bytes < kWorthThreads ? 1 : std::min(kUsualLanes, usable_processors());
  }
  Division division{.lanes = std::clamp(threads, 1U, kMostLanes)};
  // Whole MiB, which is what direct writes are made of.
  division.piece_bytes = std::min(kLargestPiece, kAllBuffers / division.lanes / kMiB * kMiB);
  return division;
}

std::vector<OutputRange> plan_jobs(const FilePlan& plan, std::uint64_t piece_bytes) {
  std::vector<OutputRange> jobs;
  std::uint64_t pending = 0;
  for (std::size_t i = 0; i < plan.steps.size();) {
    const std::size_t end = end_of_sequence(plan, i);
    if (end == i) {
      ++i;
      continue;
    }
    const OutputRange sequence{plan.steps[i].destination, end_of(plan.steps[end - 1])};
    append_pieces(jobs, {pending, sequence.begin}, piece_bytes);
    jobs.push_back(sequence);
    pending = sequence.end;
    i = end;
  }
  append_pieces(jobs, {pending, plan.total_bytes}, piece_bytes);
  return jobs;
}

void for_each_part(const FilePlan& plan, OutputRange range, const std::function<void(const Part&)>& visit) {
  if (range.begin < plan.head.size()) {
    visit({.from = range.begin,
           .destination = range.begin,
           .bytes = std::min<std::uint64_t>(plan.head.size(), range.end) - range.begin});
  }
  auto step = std::ranges::partition_point(plan.steps,
                                           [&](const CopyStep& each) { return end_of(each) <= range.begin; });
  for (; step != plan.steps.end() && step->destination < range.end; ++step) {
    const std::uint64_t begin = cut_step(*step, range.begin);
    const std::uint64_t end = cut_step(*step, range.end);
    if (begin == end) continue;
    visit({.step = &*step, .from = begin, .destination = step->destination + begin, .bytes = end - begin});
  }
}

bool reads_anywhere(const CopyStep& step) {
  return step.source->file_extent(step.runs.offset) || step.source->map(step.runs.offset, 0);
}

std::span<const std::byte> head_bytes(const FilePlan& plan, const Part& part) {
  return std::as_bytes(std::span(plan.head)).subspan(part.from, part.bytes);
}

bool is_straight(const CopyStep& step) noexcept {
  return step.runs.contiguous() && step.transform == Transform::None;
}

}  // namespace weighbridge::io
