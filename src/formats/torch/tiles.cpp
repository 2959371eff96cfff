#include "formats/torch/tiles.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>
#include <weighbridge/slice.hpp>
#include <weighbridge/write.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"

namespace weighbridge::torch {
namespace {

/// Comparing pairs of tiles must not take longer than reading a large file.
constexpr std::uint64_t kMostComparisons = 100'000'000;

[[noreturn]] void refuse(const TensorSpec& whole, const std::string& what) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("tensor '{}': {}", printable(whole.name), what),
              whole.name);
}

/// Where the bytes of one tile come from and go to. Both are runs in row-major order, so the first
/// n bytes of one are the first n bytes of the other.
struct Piece {
  SourcePtr source;
  ByteRuns from;
  ByteRuns to;  ///< In the whole tensor.
};

/// Byte of the whole tensor where run `index` of `runs` starts. Grows with the index, because the
/// loops of a box are its dimensions from the outermost on.
std::uint64_t run_begin(const ByteRuns& runs, std::uint64_t index) {
  std::uint64_t at = runs.offset;
  for (std::size_t i = runs.loops.size(); i-- > 0;) {
    at += index % runs.loops[i].count * runs.loops[i].stride;
    index /= runs.loops[i].count;
  }
  return at;
}

/// The first run that ends behind `position`.
std::uint64_t first_run_behind(const ByteRuns& runs, std::uint64_t position) {
  std::uint64_t low = 0;
  std::uint64_t high = runs.total_bytes / runs.run_bytes;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (run_begin(runs, middle) + runs.run_bytes > position) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/// Bytes before their transform, which is the same for all tiles and left to the reader.
class TiledSource final : public ByteSource {
 public:
  TiledSource(std::vector<Piece> pieces, std::uint64_t size) : pieces_(std::move(pieces)), size_(size) {}

  std::uint64_t size() const override { return size_; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    for (const Piece& piece : pieces_) copy_part(piece, offset, out);
  }

 private:
  static void copy_part(const Piece& piece, std::uint64_t offset, std::span<std::byte> out) {
    const std::uint64_t end = offset + out.size();
    const std::uint64_t runs = piece.to.total_bytes / piece.to.run_bytes;
    for (std::uint64_t i = first_run_behind(piece.to, offset); i < runs; ++i) {
      const std::uint64_t begin = run_begin(piece.to, i);
      if (begin >= end) return;
      const std::uint64_t first = std::max(begin, offset);
      const std::uint64_t last = std::min(begin + piece.to.run_bytes, end);
      read_runs(*piece.source, piece.from, Transform::None, i * piece.to.run_bytes + (first - begin),
                out.subspan(first - offset, last - first));
    }
  }

  std::vector<Piece> pieces_;
  std::uint64_t size_;
};

bool is_empty(const Tile& tile) { return std::ranges::count(tile.tensor.spec.shape, 0U) != 0; }

/// REQUIRES: rank checked.
void check_inside(const TensorSpec& whole, const Tile& tile) {
  for (std::size_t i = 0; i < whole.shape.size(); ++i) {
    if (range_fits(tile.offsets[i], tile.tensor.spec.shape[i], whole.shape[i])) continue;
    refuse(whole,
           fmt::format("a piece at {} of shape {} leaves the tensor of shape {}", shape_text(tile.offsets),
                       shape_text(tile.tensor.spec.shape), shape_text(whole.shape)));
  }
}

void check_kind(const TensorSpec& whole, const Tile& tile) {
  const TensorSpec& spec = tile.tensor.spec;
  if (spec.dtype != whole.dtype) {
    refuse(whole,
           fmt::format("a piece is {}, the tensor {}", dtype_name(spec.dtype), dtype_name(whole.dtype)));
  }
  if (spec.shape.size() != whole.shape.size() || tile.offsets.size() != whole.shape.size()) {
    refuse(whole, fmt::format("a piece of shape {} at {}, the tensor has {} dimensions",
                              shape_text(spec.shape), shape_text(tile.offsets), whole.shape.size()));
  }
}

bool overlap(const Tile& a, const Tile& b) {
  for (std::size_t i = 0; i < a.offsets.size(); ++i) {
    if (a.offsets[i] + a.tensor.spec.shape[i] <= b.offsets[i]) return false;
    if (b.offsets[i] + b.tensor.spec.shape[i] <= a.offsets[i]) return false;
  }
  return true;
}

/// Sorted along the first dimension, a tile meets only those that start before it ends.
void check_disjoint(const TensorSpec& whole, std::vector<Tile>& tiles) {
  if (whole.shape.empty() || tiles.size() < 2) return;
  std::ranges::sort(tiles, {}, &Tile::offsets);
  std::uint64_t comparisons = 0;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const std::uint64_t end = tiles[i].offsets[0] + tiles[i].tensor.spec.shape[0];
    for (std::size_t k = i + 1; k < tiles.size() && tiles[k].offsets[0] < end; ++k) {
      if (++comparisons > kMostComparisons) {
        throw Error(ErrorCode::LimitExceeded,
                    fmt::format("tensor '{}': {} pieces are too many to be compared", printable(whole.name),
                                tiles.size()),
                    whole.name);
      }
      if (!overlap(tiles[i], tiles[k])) continue;
      refuse(whole, fmt::format("its pieces at {} and {} overlap", shape_text(tiles[i].offsets),
                                shape_text(tiles[k].offsets)));
    }
  }
}

/// Pieces that lie inside and do not overlap fill the tensor when they have as many elements.
void check_complete(const TensorSpec& whole, const std::vector<Tile>& tiles) {
  std::uint64_t sum = 0;
  for (const Tile& tile : tiles) sum += element_count(tile.tensor.spec.shape);
  const std::uint64_t needed = element_count(whole.shape);
  if (sum == needed && (whole.shape.empty() ? tiles.size() == 1 : true)) return;
  refuse(whole, fmt::format("its pieces have {} elements, {} needed", sum, needed));
}

ByteRuns place_of(const TensorSpec& whole, const Tile& tile) {
  std::vector<SliceIndex> box;
  box.reserve(whole.shape.size());
  for (std::size_t i = 0; i < whole.shape.size(); ++i) {
    box.emplace_back(Range{.start = static_cast<std::int64_t>(tile.offsets[i]),
                           .stop = static_cast<std::int64_t>(tile.offsets[i] + tile.tensor.spec.shape[i]),
                           .step = 1});
  }
  return plan_slice(whole.dtype, whole.shape, box).runs;
}

Transform common_transform(const TensorSpec& whole, const std::vector<Tile>& tiles) {
  const Transform transform = tiles.empty() ? Transform::None : tiles.front().tensor.data.transform;
  const auto same = [&](const Tile& tile) { return tile.tensor.data.transform == transform; };
  if (std::ranges::all_of(tiles, same)) return transform;
  throw Error(
      ErrorCode::Unsupported,
      fmt::format("tensor '{}': its pieces are stored in different byte orders", printable(whole.name)),
      whole.name);
}

void check_whole(const TensorSpec& whole) {
  if (bit_width(whole.dtype) % 8 != 0) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("tensor '{}': pieces of {}, whose elements share bytes", printable(whole.name),
                            dtype_name(whole.dtype)),
                whole.name);
  }
  // Positions in a slice are signed.
  if (byte_size(whole.dtype, whole.shape) <= INT64_MAX) return;
  throw Error(ErrorCode::ValidationOverflow,
              fmt::format("tensor '{}': shape {} does not fit 2^63 bytes", printable(whole.name),
                          shape_text(whole.shape)),
              whole.name);
}

}  // namespace

TensorEntry join_tiles(const TensorSpec& whole, std::vector<Tile> tiles) {
  check_whole(whole);
  for (const Tile& tile : tiles) {
    check_kind(whole, tile);
    check_inside(whole, tile);
  }
  std::erase_if(tiles, is_empty);
  check_disjoint(whole, tiles);
  check_complete(whole, tiles);
  if (tiles.size() == 1) {
    tiles.front().tensor.spec.name = whole.name;
    return std::move(tiles.front().tensor);
  }
  const Transform transform = common_transform(whole, tiles);
  std::vector<Piece> pieces;
  pieces.reserve(tiles.size());
  for (const Tile& tile : tiles) {
    pieces.push_back(
        {.source = tile.tensor.data.source, .from = tensor_runs(tile.tensor), .to = place_of(whole, tile)});
  }
  auto source = std::make_shared<TiledSource>(std::move(pieces), byte_size(whole.dtype, whole.shape));
  return {.spec = whole,
          .data = {.source = std::move(source), .offset = 0, .strides = {}, .transform = transform}};
}

}  // namespace weighbridge::torch
