#include "io/load_direct.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include "io/pages.hpp"

namespace weighbridge::io {
namespace {

// Shorter ranges are read into a buffer with their neighbours.
constexpr std::uint64_t kWorthStraight = std::uint64_t{64} << 10;

std::uint64_t round_down(std::uint64_t value, std::uint64_t unit) { return value - value % unit; }
std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) { return round_down(value + unit - 1, unit); }

/// Cuts the reads of parts that lie near each other.
class Cutter {
 public:
  Cutter(LoadFile& file, std::span<const LoadPart> parts) : file_(file), parts_(parts) {}

  void cut(std::vector<DirectRead>& reads) {
    const std::uint64_t block = file_.block_bytes();
    const std::uint64_t end = round_up(end_of(parts_.back()), block);
    std::uint64_t at = round_down(begin_of(parts_.front()), block);
    while (at < end) {
      while (end_of(parts_.front()) <= at) parts_ = parts_.subspan(1);
      reads.push_back(next(at, end));
      at += reads.back().bytes;
    }
  }

 private:
  [[nodiscard]] std::uint64_t begin_of(const LoadPart& part) const { return file_.in_file(part.begin()); }
  [[nodiscard]] std::uint64_t end_of(const LoadPart& part) const { return file_.in_file(part.end()); }

  /// Where the blocks begin that can be read straight into the part's memory, and where they end.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> straight_range(const LoadPart& part) const {
    const std::uint64_t begin = round_up(begin_of(part), file_.block_bytes());
    const std::uint64_t end = round_down(end_of(part), file_.block_bytes());
    const auto memory = reinterpret_cast<std::uintptr_t>(part.out().data()) + (begin - begin_of(part));
    if (end < begin + kWorthStraight || memory % file_.memory_alignment() != 0) return {end, end};
    return {begin, end};
  }

  [[nodiscard]] DirectRead next(std::uint64_t at, std::uint64_t end) const {
    const auto [straight, straight_end] = straight_range(parts_.front());
    if (at >= straight && at < straight_end) {
      const std::uint64_t bytes = std::min(kUnit, straight_end - at);
      std::byte* memory = parts_.front().out().data() + (at - begin_of(parts_.front()));
      return {.file = &file_, .begin = at, .bytes = bytes, .straight = memory, .parts = parts_.first(1)};
    }
    return buffered(at, std::min(end, at + kUnit));
  }

  /// A read through a buffer, up to where one can go straight.
  [[nodiscard]] DirectRead buffered(std::uint64_t at, std::uint64_t end) const {
    std::size_t count = 0;
    for (; count < parts_.size() && begin_of(parts_[count]) < end; ++count) {
      const auto [straight, straight_end] = straight_range(parts_[count]);
      if (straight < straight_end && straight > at) end = std::min(end, straight);
    }
    return {.file = &file_, .begin = at, .bytes = end - at, .parts = parts_.first(count)};
  }

  LoadFile& file_;
  std::span<const LoadPart> parts_;  // those that end behind the last read
};

/// The stretch of the part that lies in [begin, end) of the file, as (position in the file, memory).
std::pair<std::uint64_t, std::span<std::byte>> overlap(const LoadFile& file, const LoadPart& part,
                                                       std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t part_begin = file.in_file(part.begin());
  const std::uint64_t from = std::max(begin, part_begin);
  const std::uint64_t to = std::min(end, file.in_file(part.end()));
  if (from >= to) return {from, {}};
  return {from, part.out().subspan(from - part_begin, to - from)};
}

}  // namespace

void append_direct_reads(std::vector<DirectRead>& reads, LoadFile& file, std::span<const LoadPart> parts,
                         std::uint64_t gap) {
  while (!parts.empty()) {
    const std::size_t near = count_near(parts, gap);
    Cutter(file, parts.first(near)).cut(reads);
    parts = parts.subspan(near);
  }
}

DirectLane::DirectLane(PageMaker& pages, ProgressMeter& meter, std::optional<Ring> ring, unsigned depth)
    : pages_(pages),
      meter_(meter),
      slots_(ring ? depth : 1),
      buffers_(slots_.size()),
      ring_(std::move(ring)) {
  for (std::size_t slot = slots_.size(); slot-- > 0;) free_.push_back(slot);
}

void DirectLane::run(std::span<const DirectRead> reads, std::atomic<std::size_t>& next) {
  bool more = true;
  while (true) {
    while (more && !free_.empty()) {
      const std::size_t i = next++;
      more = i < reads.size();
      if (!more) break;
      meter_.check_cancelled();
      const std::size_t slot = free_.back();
      free_.pop_back();
      start(reads[i], slot);
    }
    if (!ring_ || ring_->in_flight() == 0) {
      if (!more) return;
      continue;
    }
    const Ring::Completion ended = ring_->wait();
    const DirectRead& read = *slots_[ended.tag];
    free_.push_back(ended.tag);
    finish(read, buffer(read, ended.tag), ended.result);
  }
}

std::span<std::byte> DirectLane::buffer(const DirectRead& read, std::size_t slot) const {
  return {buffers_.of(slot), read.bytes};
}

void DirectLane::start(const DirectRead& read, std::size_t slot) {
  slots_[slot] = &read;
  const auto out = read.straight != nullptr ? std::span(read.straight, read.bytes) : buffer(read, slot);
  if (read.straight != nullptr && !pages_.make(out)) take_pages(out);
  if (ring_) {
    read.file->note_io_uring();
    ring_->read(read.file->descriptor(), read.begin, out, slot);
    return;
  }
  const ssize_t got =
      ::pread(read.file->descriptor(), out.data(), out.size(), static_cast<off_t>(read.begin));
  free_.push_back(slot);
  finish(read, out, got);
}

/// Hands out what was read; what was not, as at the end of a file or where the disk wants other blocks, is
/// read again by the source, which also says why it cannot be had.
void DirectLane::finish(const DirectRead& read, std::span<const std::byte> buffer, std::int64_t result) {
  const std::uint64_t got = result > 0 ? static_cast<std::uint64_t>(result) : 0;
  read.file->count(read.bytes);
  for (const LoadPart& part : read.parts) {
    const auto [from, out] = overlap(*read.file, part, read.begin, read.begin + read.bytes);
    if (out.empty()) continue;
    const std::uint64_t skipped = from - read.begin;
    const std::uint64_t have = std::min<std::uint64_t>(got > skipped ? got - skipped : 0, out.size());
    if (read.straight == nullptr) std::ranges::copy(buffer.subspan(skipped, have), out.begin());
    if (have < out.size()) {
      const std::uint64_t missing = part.begin() + (from + have - read.file->in_file(part.begin()));
      read.file->source().read_at(missing, out.subspan(have));
    }
    meter_.add(out.size());
  }
}

}  // namespace weighbridge::io
