#include "io/execute.hpp"

#include <algorithm>
#include <atomic>

#include "io/crew.hpp"
#include "io/pieces.hpp"

namespace weighbridge::io {
namespace {

// Below this a part is gathered with its neighbours into one write; above it a call of its own pays.
//
// Why copy_file_range and not a copy through memory: from a warm page cache (ext4, two cores) the ways
// differ by a quarter at most for one thread, and from a cold one not at all. Inside the kernel a copy needs
// no buffer and no mapping, so a source that shrinks is an error and never SIGBUS, and file systems that
// share blocks or copy on their server do so. A sink whose pages several threads fill reads instead.
constexpr std::uint64_t kOwnCall = std::uint64_t{64} << 10;

// A copy through memory goes in pieces that stay in the cache between the read and the write.
constexpr std::uint64_t kCopyBytes = std::uint64_t{1} << 20;

// Small parts are gathered up to here.
constexpr std::uint64_t kGatherBytes = std::uint64_t{1} << 20;

struct Totals {
  std::atomic<std::uint64_t> copied_in_kernel = 0;
  std::atomic<std::uint64_t> booleans_normalized = 0;
};

/// Moves one piece: small and changed parts through the buffer, large straight ones without it.
class PieceWriter {
 public:
  PieceWriter(const FilePlan& plan, Sink& sink, std::span<std::byte> buffer, Totals& totals)
      : plan_(plan), sink_(sink), buffer_(buffer), totals_(totals) {}

  void write(OutputRange piece) {
    for_each_part(plan_, piece, [this](const Part& part) { put(part); });
    flush();
  }

 private:
  void put(const Part& part) {
    if (part.step == nullptr) {
      put_bytes(part.destination, head_bytes(plan_, part));
    } else if (is_straight(*part.step) && part.bytes >= kOwnCall) {
      put_straight(part);
    } else {
      gather(part);
    }
  }

  /// Long ones go out from where they lie.
  void put_bytes(std::uint64_t destination, std::span<const std::byte> bytes) {
    if (bytes.size() < kOwnCall) {
      std::ranges::copy(bytes, claim(destination, bytes.size()).begin());
    } else {
      flush();
      sink_.write(destination, bytes);
    }
  }

  void put_straight(Part part) {
    flush();
    const std::uint64_t at = part.step->runs.offset + part.from;
    if (const auto extent = part.step->source->file_extent(at)) {
      const Copied copied = sink_.copy(*extent, part.destination, part.bytes);
      totals_.copied_in_kernel += copied.in_kernel;
      copy_through_buffer(part, copied.bytes);
    } else if (const auto mapped = part.step->source->map(at, part.bytes)) {
      sink_.write(part.destination, mapped->bytes());
    } else {
      copy_through_buffer(part, 0);
    }
  }

  /// Moves what is left of a part behind its first `done` bytes. Files are read here and not mapped:
  /// when one shrinks, a read says so, where a mapping would raise SIGBUS.
  void copy_through_buffer(const Part& part, std::uint64_t done) {
    const CopyStep& step = *part.step;
    while (done < part.bytes) {
      const auto bytes = buffer_.first(std::min(part.bytes - done, kCopyBytes));
      step.source->read_at(step.runs.offset + part.from + done, bytes);
      sink_.write(part.destination + done, bytes);
      done += bytes.size();
    }
  }

  void gather(const Part& part) {
    const CopyStep& step = *part.step;
    totals_.booleans_normalized +=
        read_runs(*step.source, step.runs, step.transform, part.from, claim(part.destination, part.bytes));
  }

  /// Room for bytes behind those that wait in the buffer, which go out first when they are many: what
  /// is gathered stays in the processor's cache. A piece always fits.
  std::span<std::byte> claim(std::uint64_t destination, std::uint64_t bytes) {
    if (waiting_ + bytes > kGatherBytes) flush();
    if (waiting_ == 0) waiting_at_ = destination;
    const auto room = buffer_.subspan(waiting_, bytes);
    waiting_ += bytes;
    return room;
  }

  void flush() {
    if (waiting_ > 0) sink_.write(waiting_at_, buffer_.first(waiting_));
    waiting_ = 0;
  }

  const FilePlan& plan_;
  Sink& sink_;
  std::span<std::byte> buffer_;
  Totals& totals_;
  std::uint64_t waiting_ = 0;     ///< Bytes in the buffer …
  std::uint64_t waiting_at_ = 0;  ///< … and where in the output the first of them belongs.
};

}  // namespace

LaneBuffers::LaneBuffers(unsigned lanes, std::uint64_t bytes) : bytes_(bytes) {
  for (unsigned lane = 0; lane < lanes; ++lane) {
    buffers_.push_back(std::make_unique_for_overwrite<std::byte[]>(bytes));
  }
}

WriteReport carry_out(const FilePlan& plan, Sink& sink, unsigned threads, ProgressMeter& meter,
                      Frontier* frontier) {
  const Division division = divide(plan.total_bytes, threads);
  const std::vector<OutputRange> jobs = plan_jobs(plan, division.piece_bytes);
  const auto lanes = static_cast<unsigned>(std::min<std::size_t>(division.lanes, jobs.size()));
  const LaneBuffers buffers(lanes, division.piece_bytes + kPartOverhang);
  Totals totals;
  run_crew(jobs.size(), lanes, [&](std::size_t job, unsigned lane) {
    for_each_piece(jobs[job], division.piece_bytes, [&](OutputRange piece) {
      meter.check_cancelled();
      PieceWriter(plan, sink.lane(lane), buffers.of(lane), totals).write(piece);
      sink.finish(piece.begin, piece.size());
      meter.add(piece.size());
      if (frontier != nullptr && lanes == 1) frontier->advance(piece.end);
    });
  });
  sink.complete();
  return {.bytes_written = plan.total_bytes,
          .bytes_copied_in_kernel = totals.copied_in_kernel,
          .booleans_normalized = totals.booleans_normalized,
          .threads = lanes};
}

}  // namespace weighbridge::io
