// What is different between two checkpoints, of whatever formats: names, shapes, dtypes, and the numbers.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/export.hpp>

namespace weighbridge {

enum class DiffKind : std::uint8_t {
  Identical,   ///< The same dtype, shape and bytes.
  Equal,       ///< The same numbers, or near enough, in other bytes: -0 for 0, another NaN.
  OtherDType,  ///< The same numbers, or near enough, in another dtype.
  Values,      ///< Other numbers.
  OtherShape,  ///< Another shape; the numbers were not compared.
  OnlyLeft,    ///< The right has no tensor of that name.
  OnlyRight,
};

/// What comparing the numbers of two tensors of one shape gave. A complex number counts as two.
struct ValueDiff {
  std::uint64_t numbers = 0;
  std::uint64_t different = 0;  ///< A NaN equals a NaN and nothing else.
  std::uint64_t nan_left = 0;   ///< NaN on the left alone.
  std::uint64_t nan_right = 0;  ///< NaN on the right alone.
  double max_abs = 0;           ///< The largest difference; infinite where one is infinite.
  double max_rel = 0;           ///< The largest difference by the larger of the two magnitudes.
  /// Of the finite numbers, as two vectors; nothing when one of them is zero.
  std::optional<double> cosine = {};
};

struct TensorDiff {
  std::string name;
  DiffKind kind = DiffKind::Identical;
  std::optional<TensorSpec> left = {};
  std::optional<TensorSpec> right = {};
  ValueDiff values = {};  ///< Of kinds Equal, OtherDType and Values.
};

struct DiffOptions {
  bool names_only = false;    ///< Names, dtypes and shapes; no tensor is read.
  bool ignore_dtype = false;  ///< Tensors of kind OtherDType are no difference.
  double atol = 0;            ///< Numbers are near enough when they differ by at most atol ...
  double rtol = 0;            ///< ... + rtol times the larger of their magnitudes.
  const std::atomic<bool>* cancel = nullptr;  ///< Polled; set it to stop with Cancelled.
};

struct DiffReport {
  std::vector<TensorDiff> tensors;  ///< In the order of the left; those that only the right has behind them.
  bool same = true;                 ///< Whether there is no difference.
};

/// Compares tensors of the same names; the names of tied tensors count as tensors. Reads both in small
/// pieces: memory is bounded. Numbers are compared as double, 64-bit integers of one dtype exactly.
WB_EXPORT DiffReport diff_checkpoints(const Checkpoint& left, const Checkpoint& right,
                                      const DiffOptions& options = {});

}  // namespace weighbridge
