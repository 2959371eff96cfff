#include <algorithm>
#include <cstring>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/crew.hpp"
#include "io/execute.hpp"
#include "io/pieces.hpp"

namespace weighbridge::io {
namespace {

/// Compares one piece of the written file with the plan. Mapped bytes are compared where they lie;
/// what has to be read goes into one half of the buffer for each side.
class PieceChecker {
 public:
  PieceChecker(const FilePlan& plan, const ByteSource& written, std::span<std::byte> buffer)
      : plan_(plan),
        written_(written),
        ours_(buffer.first(buffer.size() / 2)),
        theirs_(buffer.last(buffer.size() / 2)) {}

  void check(OutputRange piece) const {
    for_each_part(plan_, piece, [this](const Part& part) { check_part(part); });
  }

 private:
  void check_part(const Part& part) const {
    Buffer mapped_source;
    Buffer mapped_output;
    const auto wanted = wanted_bytes(part, mapped_source);
    const auto found = written_bytes(part, mapped_output);
    if (std::memcmp(wanted.data(), found.data(), wanted.size()) == 0) return;
    const auto differs = std::ranges::mismatch(wanted, found).in1 - wanted.begin();
    report(part, static_cast<std::uint64_t>(differs));
  }

  std::span<const std::byte> wanted_bytes(const Part& part, Buffer& keep) const {
    if (part.step == nullptr) return head_bytes(plan_, part);
    const CopyStep& step = *part.step;
    if (is_straight(step)) {
      if (auto mapped = step.source->map(step.runs.offset + part.from, part.bytes)) {
        keep = *std::move(mapped);
        return keep.bytes();
      }
    }
    const auto room = ours_.first(part.bytes);
    read_runs(*step.source, step.runs, step.transform, part.from, room);
    return room;
  }

  std::span<const std::byte> written_bytes(const Part& part, Buffer& keep) const {
    if (auto mapped = written_.map(part.destination, part.bytes)) {
      keep = *std::move(mapped);
      return keep.bytes();
    }
    const auto room = theirs_.first(part.bytes);
    written_.read_at(part.destination, room);
    return room;
  }

  [[noreturn]] static void report(const Part& part, std::uint64_t differs) {
    const std::uint64_t at = part.destination + differs;
    if (part.step == nullptr) {
      throw Error(ErrorCode::VerificationFailed,
                  fmt::format("the header was written wrongly: byte {} differs", at), {}, at);
    }
    throw Error(ErrorCode::VerificationFailed,
                fmt::format("tensor '{}' differs from its source in byte {} (byte {} of the output)",
                            printable(part.step->name), part.from + differs, at),
                part.step->name, at);
  }

  const FilePlan& plan_;
  const ByteSource& written_;
  std::span<std::byte> ours_;
  std::span<std::byte> theirs_;
};

}  // namespace

void check_size(const FilePlan& plan, const ByteSource& written) {
  if (written.size() == plan.total_bytes) return;
  throw Error(ErrorCode::VerificationFailed, fmt::format("the output has {} bytes, {} were to be written",
                                                         written.size(), plan.total_bytes));
}

void compare_behind(const FilePlan& plan, const ByteSource& written, ProgressMeter& meter,
                    Frontier& frontier) {
  // Soon behind the writer, while its pages are near.
  constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;
  const LaneBuffers buffers(1, 2 * (kPiece + kPartOverhang));
  const PieceChecker checker(plan, written, buffers.of(0));
  for (const OutputRange& job : plan_jobs(plan, kPiece)) {
    for (std::uint64_t at = job.begin; at < job.end; at += kPiece) {
      const OutputRange piece{at, std::min(job.end, at + kPiece)};
      if (!frontier.wait_for(piece.end)) return;
      meter.check_cancelled();
      checker.check(piece);
      meter.add(piece.size());
    }
  }
}

void verify_written(const FilePlan& plan, const ByteSource& written, unsigned threads, ProgressMeter& meter) {
  check_size(plan, written);
  const Division division = divide(plan.total_bytes, threads);
  const std::uint64_t piece_bytes = division.piece_bytes / 2;
  const std::vector<OutputRange> jobs = plan_jobs(plan, piece_bytes);
  const auto lanes = static_cast<unsigned>(std::min<std::size_t>(division.lanes, jobs.size()));
  const LaneBuffers buffers(lanes, 2 * (piece_bytes + kPartOverhang));
  run_crew(jobs.size(), lanes, [&](std::size_t job, unsigned lane) {
    const PieceChecker checker(plan, written, buffers.of(lane));
    for_each_piece(jobs[job], piece_bytes, [&](OutputRange piece) {
      meter.check_cancelled();
      checker.check(piece);
      meter.add(piece.size());
    });
  });
}

}  // namespace weighbridge::io
