// Slices: numpy's basic indexing, compiled to strided runs of bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include <weighbridge/export.hpp>
#include <weighbridge/tensor.hpp>

namespace weighbridge {

/// One dimension at one position; the dimension disappears. Negative counts from the end.
struct At {
  std::int64_t index = 0;
};

/// start:stop:step of one dimension, as in Python: absent means from the first / to the last,
/// negative counts from the end, out of range is clamped. step >= 1.
struct Range {
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> stop;
  std::int64_t step = 1;
};

/// As many full dimensions as are missing. At most one in a slice.
struct Ellipsis {};

using SliceIndex = std::variant<At, Range, Ellipsis>;

/// Reads "0, 1:5, ..., ::2", brackets optional. Throws InvalidSlice with the position.
WB_EXPORT std::vector<SliceIndex> parse_slice(std::string_view text);

/// One level of repetition: `count` times, `stride` bytes apart.
struct RunLoop {
  std::uint64_t count = 0;
  std::uint64_t stride = 0;
  friend bool operator==(const RunLoop&, const RunLoop&) = default;
};

/// Bytes at regular distances: for each index tuple of `loops` (outermost first, row-major),
/// `run_bytes` bytes at offset + sum(index_k * stride_k). One short list describes any slice or
/// strided view, however many rows it has.
struct ByteRuns {
  std::uint64_t offset = 0;
  std::uint64_t run_bytes = 0;
  std::vector<RunLoop> loops = {};
  std::uint64_t total_bytes = 0;  ///< run_bytes times all counts; 0 when nothing is selected.

  /// One contiguous range.
  [[nodiscard]] bool contiguous() const noexcept { return loops.empty(); }
  friend bool operator==(const ByteRuns&, const ByteRuns&) = default;
};

/// What a slice selects.
struct SlicePlan {
  Shape shape;    ///< Of the result: indexed dimensions removed.
  ByteRuns runs;  ///< Relative to the tensor's first byte.
};

/// Compiles a slice of a tensor whose element [0, ..., 0] is at byte 0 and whose dimensions are
/// `strides` bytes apart; no strides means contiguous. Neighbouring runs are merged, so a slice that
/// is one range of bytes has no loops.
/// Throws TooManySlices, SliceOutOfRange (an At outside its dimension), InvalidSlice (step < 1, two
/// ellipses), MisalignedSlice (part of a byte), ValidationOverflow.
WB_EXPORT SlicePlan plan_slice(DType dtype, std::span<const std::uint64_t> shape,
                               std::span<const SliceIndex> slice,
                               std::span<const std::uint64_t> strides = {});

/// The whole tensor as runs: plan_slice with no index.
WB_EXPORT ByteRuns plan_runs(DType dtype, std::span<const std::uint64_t> shape,
                             std::span<const std::uint64_t> strides = {});

}  // namespace weighbridge
