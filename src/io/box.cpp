#include "io/box.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "base/checked.hpp"

namespace weighbridge::io {
namespace {

/// A loop of ByteRuns with the number of output bytes that one turn of it fills.
struct Level {
  std::uint64_t count = 0;
  std::uint64_t stride = 0;
  std::uint64_t weight = 0;
};

/// The loops of `runs`, and as the innermost one the single bytes of a run.
std::vector<Level> levels_of(const ByteRuns& runs) {
  std::vector<Level> levels;
  levels.reserve(runs.loops.size() + 1);
  for (const RunLoop& loop : runs.loops) levels.push_back({loop.count, loop.stride, 0});
  levels.push_back({runs.run_bytes, 1, 0});
  std::uint64_t weight = 1;
  for (std::size_t i = levels.size(); i-- > 0; weight *= levels[i].count) levels[i].weight = weight;
  return levels;
}

/// The outermost level of which [begin, end) holds a whole turn from `begin` on.
std::size_t level_at(const std::vector<Level>& levels, std::uint64_t begin, std::uint64_t end) {
  std::size_t i = 0;
  while (begin % levels[i].weight != 0 || levels[i].weight > end - begin) ++i;
  return i;
}

std::uint64_t source_of(const std::vector<Level>& levels, std::uint64_t base, std::uint64_t position) {
  for (const Level& level : levels) base += position / level.weight % level.count * level.stride;
  return base;
}

/// `turns` of the level `at` with everything inside it.
Box make_box(const std::vector<Level>& levels, std::size_t at, std::uint64_t turns) {
  Box box;
  box.out_bytes = turns * levels[at].weight;
  const bool part_of_run = at + 1 == levels.size();
  box.unit = part_of_run ? turns : levels.back().count;
  for (std::size_t i = at; i + 1 < levels.size(); ++i) {
    const std::uint64_t count = i == at ? turns : levels[i].count;
    if (count > 1) box.loops.push_back({count, levels[i].stride, levels[i].weight});
  }
  std::ranges::sort(box.loops, std::greater{},
                    [](const BoxLoop& loop) { return std::pair(loop.source_stride, loop.out_stride); });
  return box;
}

// Both directions of a tile stay in the first-level cache; whole cache lines are read and written.
constexpr std::uint64_t kTile = 32;

template <std::size_t kUnit>
struct FixedUnit {
  void operator()(std::byte* out, const std::byte* source) const noexcept { std::memcpy(out, source, kUnit); }
};

struct AnyUnit {
  std::uint64_t bytes;
  void operator()(std::byte* out, const std::byte* source) const noexcept { std::memcpy(out, source, bytes); }
};

// Rows that lie further apart than the processor looks ahead by itself are asked for some rows before: so
// many that they are of about so many bytes, at most and at least.
constexpr std::uint64_t kFarApart = 1024;
constexpr std::uint64_t kBytesAhead = std::uint64_t{16} << 10;
constexpr std::uint64_t kMostRowsAhead = 8;
constexpr std::uint64_t kFewestRowsAhead = 2;
constexpr std::uint64_t kLine = 64;
constexpr std::uint64_t kMostAhead = 512;  // of one row; the rest the processor finds

/// Asks for row number `row` of `loop`, if there is one.
void fetch_ahead(const std::byte* source, const BoxLoop& loop, std::uint64_t row, std::uint64_t unit) {
  if (row >= loop.count) return;
  const std::byte* from = source + row * loop.source_stride;
  for (std::uint64_t at = 0; at < std::min(unit, kMostAhead); at += kLine) __builtin_prefetch(from + at);
}

/// Long rows of one loop that lie far apart: columns of a matrix, say.
void copy_far_rows(const std::byte* source, const BoxLoop& loop, std::uint64_t unit, std::byte* out) {
  const std::uint64_t ahead = std::clamp(kBytesAhead / unit, kFewestRowsAhead, kMostRowsAhead);
  for (std::uint64_t row = 0; row < loop.count; ++row) {
    fetch_ahead(source, loop, row + ahead, unit);
    std::memcpy(out + row * loop.out_stride, source + row * loop.source_stride, unit);
  }
}

/// All units of two loops, `inner` running fastest.
template <typename CopyUnit>
void copy_rows(const std::byte* source, BoxLoop outer, BoxLoop inner, std::byte* out, CopyUnit copy) {
  for (std::uint64_t i = 0; i < outer.count; ++i) {
    const std::byte* from = source + i * outer.source_stride;
    std::byte* to = out + i * outer.out_stride;
    for (std::uint64_t j = 0; j < inner.count; ++j) {
      copy(to + j * inner.out_stride, from + j * inner.source_stride);
    }
  }
}

/// The same in square tiles, for loops of which one is near in the source and the other in the output.
template <typename CopyUnit>
void copy_tiles(const std::byte* source, BoxLoop outer, BoxLoop inner, std::byte* out, CopyUnit copy) {
  for (std::uint64_t i = 0; i < outer.count; i += kTile) {
    BoxLoop rows = outer;
    rows.count = std::min(kTile, outer.count - i);
    for (std::uint64_t j = 0; j < inner.count; j += kTile) {
      BoxLoop columns = inner;
      columns.count = std::min(kTile, inner.count - j);
      copy_rows(source + i * outer.source_stride + j * inner.source_stride, columns, rows,
                out + i * outer.out_stride + j * inner.out_stride, copy);
    }
  }
}

struct Plane {
  BoxLoop outer{.count = 1};
  BoxLoop inner{.count = 1};
};

void copy_plane(const std::byte* source, const Plane& plane, std::uint64_t unit, std::byte* out) {
  if (plane.outer.count == 1 && unit >= kLine && plane.inner.source_stride >= kFarApart) {
    copy_far_rows(source, plane.inner, unit, out);
    return;
  }
  const bool transposed = plane.inner.out_stride > plane.outer.out_stride && plane.outer.count > 1;
  const auto run = [&](auto copy) {
    if (transposed) {
      copy_tiles(source, plane.outer, plane.inner, out, copy);
    } else {
      copy_rows(source, plane.outer, plane.inner, out, copy);
    }
  };
  switch (unit) {
    case 1:
      return run(FixedUnit<1>{});
    case 2:
      return run(FixedUnit<2>{});
    case 4:
      return run(FixedUnit<4>{});
    case 8:
      return run(FixedUnit<8>{});
    case 16:
      return run(FixedUnit<16>{});
    default:
      return run(AnyUnit{unit});
  }
}

/// Takes the two loops that matter out of `loops`: the nearest in the source, and with it the
/// nearest in the output, or else the next in the source.
Plane take_plane(std::vector<BoxLoop>& loops) {
  Plane plane;
  if (loops.empty()) return plane;
  plane.inner = loops.back();
  loops.pop_back();
  if (loops.empty()) return plane;
  auto partner = std::ranges::min_element(loops, {}, &BoxLoop::out_stride);
  if (partner->out_stride > plane.inner.out_stride) partner = std::prev(loops.end());
  plane.outer = *partner;
  loops.erase(partner);
  return plane;
}

/// Steps to the next index of `loops` like an odometer; false behind the last.
bool advance(std::span<const BoxLoop> loops, std::vector<std::uint64_t>& index, const std::byte*& source,
             std::byte*& out) {
  for (std::size_t i = loops.size(); i-- > 0;) {
    if (++index[i] < loops[i].count) {
      source += loops[i].source_stride;
      out += loops[i].out_stride;
      return true;
    }
    source -= (loops[i].count - 1) * loops[i].source_stride;
    out -= (loops[i].count - 1) * loops[i].out_stride;
    index[i] = 0;
  }
  return false;
}

}  // namespace

std::uint64_t Box::source_span() const noexcept {
  std::uint64_t span = unit;
  for (const BoxLoop& loop : loops) span += (loop.count - 1) * loop.source_stride;
  return span;
}

bool runs_fit(const ByteRuns& runs, std::uint64_t source_bytes) noexcept {
  auto end = checked_add(runs.offset, runs.run_bytes);
  for (const RunLoop& loop : runs.loops) {
    const auto reach = checked_mul(loop.count - 1, loop.stride);
    end = end && reach ? checked_add(*end, *reach) : std::nullopt;
  }
  return end && *end <= source_bytes;
}

std::vector<Box> cut_boxes(const ByteRuns& runs, std::uint64_t begin, std::uint64_t end) {
  const std::vector<Level> levels = levels_of(runs);
  std::vector<Box> boxes;
  while (begin < end) {
    const std::size_t at = level_at(levels, begin, end);
    const Level& level = levels[at];
    const std::uint64_t left = level.count - begin / level.weight % level.count;
    boxes.push_back(make_box(levels, at, std::min((end - begin) / level.weight, left)));
    boxes.back().source = source_of(levels, runs.offset, begin);
    begin += boxes.back().out_bytes;
  }
  return boxes;
}

void copy_box(const std::byte* source, std::span<const BoxLoop> loops, std::uint64_t unit, std::byte* out) {
  std::vector<BoxLoop> outer(loops.begin(), loops.end());
  const Plane plane = take_plane(outer);
  std::vector<std::uint64_t> index(outer.size());
  do {
    copy_plane(source, plane, unit, out);
  } while (advance(outer, index, source, out));
}

}  // namespace weighbridge::io
