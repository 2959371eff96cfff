#include <algorithm>
#include <memory>

#include <weighbridge/error.hpp>
#include <weighbridge/write.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "io/box.hpp"
#include "io/transform.hpp"

namespace weighbridge {
namespace {

using io::Box;
using io::BoxLoop;

// Memory for reads that bring more than what is wanted, or bring it in another order.
constexpr std::uint64_t kScratchBytes = std::uint64_t{1} << 20;
// Two runs this near to each other are fetched together: files are read in pages anyway, and a
// system call costs about as much as copying that many bytes.
constexpr std::uint64_t kSmallGap = 4096;

/// How a grid is fetched without a mapping. The loops fall into three: [0, at) are walked; `at` is
/// taken in blocks of `block` turns that fit the scratch; those behind it lie within one turn.
struct ReadScheme {
  std::size_t at = 0;
  std::uint64_t turn_bytes = 0;  ///< Source bytes of one turn of loop `at`.
  std::uint64_t block = 1;
  bool one_read = false;  ///< A block is read in one piece, gaps included.
};

ReadScheme choose_scheme(const Box& box) {
  ReadScheme scheme{.at = box.loops.size(), .turn_bytes = box.unit};
  while (scheme.at > 0) {
    const BoxLoop& loop = box.loops[scheme.at - 1];
    const bool near = loop.source_stride <= scheme.turn_bytes + kSmallGap;
    const std::uint64_t step = near ? loop.source_stride : scheme.turn_bytes;
    if (scheme.turn_bytes > kScratchBytes) break;
    const std::uint64_t fitting = step == 0 ? loop.count : (kScratchBytes - scheme.turn_bytes) / step + 1;
    if (!near || fitting < loop.count) {
      scheme.block = std::min(fitting, loop.count);
      scheme.one_read = near;
      break;
    }
    scheme.turn_bytes += (loop.count - 1) * loop.source_stride;
    --scheme.at;
  }
  return scheme;
}

/// Fetches one grid by positional reads, in the order of the source.
class BoxReader {
 public:
  BoxReader(const ByteSource& source, const Box& box)
      : source_(source), box_(box), scheme_(choose_scheme(box)) {}

  void read(std::byte* out) {
    if (box_.loops.empty()) return source_.read_at(box_.source, {out, box_.unit});
    if (scheme_.at == 0) return read_whole(out);
    walk(out);
  }

 private:
  [[nodiscard]] const BoxLoop& blocked() const { return box_.loops[scheme_.at - 1]; }
  [[nodiscard]] std::span<const BoxLoop> within_turn() const {
    return std::span(box_.loops).subspan(scheme_.at);
  }

  void read_whole(std::byte* out) {
    const auto bytes = scratch(scheme_.turn_bytes);
    source_.read_at(box_.source, bytes);
    io::copy_box(bytes.data(), box_.loops, box_.unit, out);
  }

  /// All indices of the loops that are walked, like an odometer.
  void walk(std::byte* out) {
    const auto walked = std::span(box_.loops).first(scheme_.at - 1);
    std::vector<std::uint64_t> index(walked.size());
    std::size_t turning = 0;
    do {
      std::uint64_t from = box_.source;
      std::byte* to = out;
      for (std::size_t k = 0; k < walked.size(); ++k) {
        from += index[k] * walked[k].source_stride;
        to += index[k] * walked[k].out_stride;
      }
      read_blocks(from, to);
      for (turning = walked.size(); turning > 0; --turning) {
        if (++index[turning - 1] < walked[turning - 1].count) break;
        index[turning - 1] = 0;
      }
    } while (turning > 0);
  }

  void read_blocks(std::uint64_t from, std::byte* out) {
    const BoxLoop& loop = blocked();
    for (std::uint64_t done = 0; done < loop.count; done += scheme_.block) {
      const std::uint64_t turns = std::min(scheme_.block, loop.count - done);
      read_block(from + done * loop.source_stride, turns, out + done * loop.out_stride);
    }
  }

  void read_block(std::uint64_t from, std::uint64_t turns, std::byte* out) {
    if (!scheme_.one_read && within_turn().empty() && box_.unit >= kSmallGap)
      return read_direct(from, turns, out);
    const BoxLoop& loop = blocked();
    const std::uint64_t packed = scheme_.one_read ? loop.source_stride : scheme_.turn_bytes;
    const auto bytes = scratch((turns - 1) * packed + scheme_.turn_bytes);
    if (scheme_.one_read) {
      source_.read_at(from, bytes);
    } else {
      for (std::uint64_t i = 0; i < turns; ++i) {
        source_.read_at(from + i * loop.source_stride, bytes.subspan(i * packed, scheme_.turn_bytes));
      }
    }
    std::vector<BoxLoop> loops{{turns, packed, loop.out_stride}};
    loops.insert(loops.end(), within_turn().begin(), within_turn().end());
    io::copy_box(bytes.data(), loops, box_.unit, out);
  }

  /// Long runs need no scratch.
  void read_direct(std::uint64_t from, std::uint64_t turns, std::byte* out) {
    const BoxLoop& loop = blocked();
    for (std::uint64_t i = 0; i < turns; ++i) {
      source_.read_at(from + i * loop.source_stride, {out + i * loop.out_stride, box_.unit});
    }
  }

  std::span<std::byte> scratch(std::uint64_t bytes) {
    if (bytes > scratch_bytes_) {
      scratch_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
      scratch_bytes_ = bytes;
    }
    return {scratch_.get(), bytes};
  }

  const ByteSource& source_;
  const Box& box_;
  ReadScheme scheme_;
  std::unique_ptr<std::byte[]> scratch_;
  std::uint64_t scratch_bytes_ = 0;
};

void read_contiguous(const ByteSource& source, std::uint64_t offset, std::span<std::byte> out) {
  if (const auto mapped = source.map(offset, out.size())) {
    std::ranges::copy(mapped->bytes(), out.begin());
  } else {
    source.read_at(offset, out);
  }
}

void read_box(const ByteSource& source, const Box& box, std::byte* out) {
  if (const auto mapped = source.map(box.source, box.source_span())) {
    io::copy_box(mapped->bytes().data(), box.loops, box.unit, out);
  } else {
    BoxReader(source, box).read(out);
  }
}

void check_request(const ByteSource& source, const ByteRuns& runs, std::uint64_t from, std::uint64_t bytes) {
  if (!range_fits(from, bytes, runs.total_bytes)) {
    throw Error(ErrorCode::IoError,
                fmt::format("{} bytes at {} leave runs of {} bytes", bytes, from, runs.total_bytes), {},
                from);
  }
  if (bytes > 0 && !io::runs_fit(runs, source.size())) {
    throw Error(ErrorCode::IoError,
                fmt::format("runs from {} on leave the source of {} bytes", runs.offset, source.size()), {},
                runs.offset);
  }
}

}  // namespace

std::uint64_t read_runs(const ByteSource& source, const ByteRuns& runs, Transform transform,
                        std::uint64_t from, std::span<std::byte> out) {
  check_request(source, runs, from, out.size());
  if (runs.contiguous()) {
    read_contiguous(source, runs.offset + from, out);
  } else {
    std::byte* to = out.data();
    for (const Box& box : io::cut_boxes(runs, from, from + out.size())) {
      read_box(source, box, to);
      to += box.out_bytes;
    }
  }
  return io::apply_transform(transform, out);
}

}  // namespace weighbridge
