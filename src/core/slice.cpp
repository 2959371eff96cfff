#include <algorithm>

#include <weighbridge/error.hpp>
#include <weighbridge/slice.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"

namespace weighbridge {
namespace {

// One dimension of the tensor as the slice selects it: positions start, start + step, ...
struct Selected {
  std::uint64_t start = 0;
  std::uint64_t count = 0;
  std::uint64_t step = 1;
  bool kept = true;  // false: an integer index, the dimension disappears
};

// Compiling counts in bits, so that dtypes below a byte need no case of their own.
struct BitLoop {
  std::uint64_t count = 0;
  std::uint64_t stride = 0;
};

[[noreturn]] void throw_overflow(DType dtype, std::span<const std::uint64_t> shape) {
  throw Error(ErrorCode::ValidationOverflow,
              fmt::format("{} {} reaches beyond 2^64 bits", dtype_name(dtype), shape_text(shape)));
}

Selected select_at(At at, std::size_t dimension, std::uint64_t size) {
  const auto given = static_cast<std::uint64_t>(at.index);
  const std::uint64_t index = at.index < 0 ? size + given : given;  // wraps when it is before the start
  if (index >= size) {
    throw Error(
        ErrorCode::SliceOutOfRange,
        fmt::format("index {} out of bounds for tensor dimension #{} of size {}", at.index, dimension, size));
  }
  return {.start = index, .count = 1, .step = 1, .kept = false};
}

// A bound of a range as Python clamps it.
std::uint64_t clamp_bound(std::int64_t bound, std::uint64_t size) {
  if (bound >= 0) return std::min(static_cast<std::uint64_t>(bound), size);
  const std::uint64_t from_end = 0 - static_cast<std::uint64_t>(bound);
  return from_end > size ? 0 : size - from_end;
}

Selected select_range(const Range& range, std::uint64_t size) {
  if (range.step < 1) {
    throw Error(ErrorCode::InvalidSlice,
                fmt::format("the step of a range is {}, it must be at least 1", range.step));
  }
  const std::uint64_t start = range.start ? clamp_bound(*range.start, size) : 0;
  const std::uint64_t stop = range.stop ? clamp_bound(*range.stop, size) : size;
  const auto step = static_cast<std::uint64_t>(range.step);
  const std::uint64_t count = start < stop ? (stop - start - 1) / step + 1 : 0;
  return {.start = start, .count = count, .step = step, .kept = true};
}

Selected select(const SliceIndex& index, std::size_t dimension, std::uint64_t size) {
  if (const auto* at = std::get_if<At>(&index)) return select_at(*at, dimension, size);
  return select_range(std::get<Range>(index), size);
}

bool is_ellipsis(const SliceIndex& index) { return std::holds_alternative<Ellipsis>(index); }

// One Selected for each dimension of the tensor.
std::vector<Selected> resolve(std::span<const std::uint64_t> shape, std::span<const SliceIndex> slice) {
  const auto ellipses = static_cast<std::size_t>(std::ranges::count_if(slice, is_ellipsis));
  if (ellipses > 1) throw Error(ErrorCode::InvalidSlice, "a slice can have one ellipsis, this one has more");
  const std::size_t indices = slice.size() - ellipses;
  if (indices > shape.size()) {
    throw Error(ErrorCode::TooManySlices,
                fmt::format("more slicing indexes than dimensions in tensor: {} for shape {}", indices,
                            shape_text(shape)));
  }
  const std::size_t full = shape.size() - indices;  // dimensions that the ellipsis or the end stands for

  std::vector<Selected> selected;
  selected.reserve(shape.size());
  const auto select_full = [&] {
    for (std::size_t i = 0; i < full; ++i) selected.push_back({.count = shape[selected.size()]});
  };
  for (const SliceIndex& index : slice) {
    if (is_ellipsis(index)) {
      select_full();
    } else {
      selected.push_back(select(index, selected.size(), shape[selected.size()]));
    }
  }
  if (ellipses == 0) select_full();
  return selected;
}

// Distance in bits between neighbours of each dimension.
std::vector<std::uint64_t> bit_strides(DType dtype, std::span<const std::uint64_t> shape,
                                       std::span<const std::uint64_t> strides) {
  std::vector<std::uint64_t> bits(shape.size());
  std::uint64_t next = bit_width(dtype);
  for (std::size_t i = shape.size(); i-- > 0;) {
    const auto stride = strides.empty() ? next : checked_mul(strides[i], 8);
    const auto outer = strides.empty() ? checked_mul(next, shape[i]) : std::uint64_t{0};
    if (!stride || !outer) throw_overflow(dtype, shape);
    bits[i] = *stride;
    next = *outer;
  }
  return bits;
}

// Collects loops from the innermost dimension outwards and merges what is one stretch.
class RunBuilder {
 public:
  explicit RunBuilder(std::uint64_t element_bits) : run_(element_bits) {}

  void add(std::uint64_t count, std::uint64_t stride) {
    if (count == 1) return;
    if (loops_.empty() && stride == run_) {
      run_ *= count;
    } else if (!loops_.empty() && stride == loops_.back().stride * loops_.back().count) {
      loops_.back().count *= count;
    } else {
      loops_.push_back({count, stride});
    }
  }

  [[nodiscard]] ByteRuns finish(std::uint64_t offset, std::uint64_t total) const {
    ByteRuns runs{
        .offset = whole_bytes(offset), .run_bytes = whole_bytes(run_), .loops = {}, .total_bytes = 0};
    for (const BitLoop& loop : loops_) runs.loops.push_back({loop.count, whole_bytes(loop.stride)});
    std::ranges::reverse(runs.loops);
    runs.total_bytes = whole_bytes(total);
    return runs;
  }

 private:
  static std::uint64_t whole_bytes(std::uint64_t bits) {
    if (bits % 8 == 0) return bits / 8;
    throw Error(
        ErrorCode::MisalignedSlice,
        "the slice takes part of a byte: elements of less than a byte can only be cut where a byte ends");
  }

  std::uint64_t run_;
  std::vector<BitLoop> loops_;
};

// Bits of the result, after a check that neither they nor the farthest element overflow; with that
// no product in RunBuilder can.
std::uint64_t check_reach(DType dtype, std::span<const std::uint64_t> shape,
                          const std::vector<Selected>& selected, const std::vector<std::uint64_t>& strides) {
  std::uint64_t total = bit_width(dtype);
  std::uint64_t reach = total;
  for (std::size_t i = 0; i < selected.size(); ++i) {
    const auto bits = checked_mul(total, selected[i].count);
    const auto last = checked_add(selected[i].start, (selected[i].count - 1) * selected[i].step);
    const auto distance = last ? checked_mul(*last, strides[i]) : std::nullopt;
    const auto sum = distance ? checked_add(reach, *distance) : std::nullopt;
    if (!bits || !sum) throw_overflow(dtype, shape);
    total = *bits;
    reach = *sum;
  }
  return total;
}

}  // namespace

SlicePlan plan_slice(DType dtype, std::span<const std::uint64_t> shape, std::span<const SliceIndex> slice,
                     std::span<const std::uint64_t> strides) {
  if (!strides.empty() && strides.size() != shape.size()) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{} strides for a tensor of {} dimensions", strides.size(), shape.size()));
  }
  const std::vector<Selected> selected = resolve(shape, slice);
  SlicePlan plan;
  bool empty = false;
  for (const Selected& dimension : selected) {
    if (dimension.kept) plan.shape.push_back(dimension.count);
    empty = empty || dimension.count == 0;
  }
  if (empty) return plan;

  const std::vector<std::uint64_t> distances = bit_strides(dtype, shape, strides);
  const std::uint64_t total = check_reach(dtype, shape, selected, distances);
  RunBuilder builder(bit_width(dtype));
  std::uint64_t offset = 0;
  for (std::size_t i = selected.size(); i-- > 0;) {
    offset += selected[i].start * distances[i];
    builder.add(selected[i].count, selected[i].step * distances[i]);
  }
  plan.runs = builder.finish(offset, total);
  return plan;
}

ByteRuns plan_runs(DType dtype, std::span<const std::uint64_t> shape,
                   std::span<const std::uint64_t> strides) {
  return plan_slice(dtype, shape, {}, strides).runs;
}

}  // namespace weighbridge
