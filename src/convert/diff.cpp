#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <weighbridge/diff.hpp>

#include "base/endian.hpp"
#include "convert/aliases.hpp"
#include "convert/numbers.hpp"

namespace weighbridge {
namespace {

constexpr std::uint64_t kPieceNumbers = 64 * 1024;

void check_cancelled(const DiffOptions& options) {
  if (options.cancel != nullptr && *options.cancel) throw Error(ErrorCode::Cancelled, "cancelled");
}

template <class Visit>
void for_each_piece(std::uint64_t count, const DiffOptions& options, Visit visit) {
  for (std::uint64_t first = 0; first < count; first += kPieceNumbers) {
    check_cancelled(options);
    if (!visit(first, std::min(kPieceNumbers, count - first))) return;
  }
}

bool have_same_bytes(const TensorEntry& left, const TensorEntry& right, const DiffOptions& options) {
  const ByteRuns left_runs = tensor_runs(left);
  const ByteRuns right_runs = tensor_runs(right);
  std::vector<std::byte> left_bytes;
  std::vector<std::byte> right_bytes;
  bool same = true;
  for_each_piece((left_runs.total_bytes + 7) / 8, options, [&](std::uint64_t first, std::uint64_t words) {
    const std::uint64_t bytes = std::min(words * 8, left_runs.total_bytes - first * 8);
    left_bytes.resize(bytes);
    right_bytes.resize(bytes);
    read_runs(*left.data.source, left_runs, left.data.transform, first * 8, left_bytes);
    read_runs(*right.data.source, right_runs, right.data.transform, first * 8, right_bytes);
    same = std::memcmp(left_bytes.data(), right_bytes.data(), bytes) == 0;
    return same;
  });
  return same;
}

/// The difference of 64-bit integers, which a double cannot hold.
template <class T>
double distance_at(std::span<const std::byte> left, std::span<const std::byte> right, std::size_t i) {
  const T a = load_le<T>(left.data() + i * 8);
  const T b = load_le<T>(right.data() + i * 8);
  const auto larger = static_cast<std::uint64_t>(std::max(a, b));
  return static_cast<double>(larger - static_cast<std::uint64_t>(std::min(a, b)));
}

/// Compares the numbers of two tensors of one shape.
class Comparison {
 public:
  Comparison(const TensorEntry& left, const TensorEntry& right, const DiffOptions& options)
      : left_(left), right_(right), options_(options) {
    const bool same = left.spec.dtype == right.spec.dtype;
    exact_signed_ = same && left.spec.dtype == DType::I64;
    exact_unsigned_ = same && left.spec.dtype == DType::U64;
  }

  ValueDiff run() {
    result_.numbers = left_.count();
    std::vector<double> left;
    std::vector<double> right;
    for_each_piece(left_.count(), options_, [&](std::uint64_t first, std::uint64_t count) {
      left.resize(count);
      right.resize(count);
      left_.read(first, left);
      right_.read(first, right);
      for (std::size_t i = 0; i < count; ++i) compare(left[i], right[i], i);
      return true;
    });
    if (left_squares_ > 0 && right_squares_ > 0) {
      result_.cosine = products_ / (std::sqrt(left_squares_) * std::sqrt(right_squares_));
    }
    return result_;
  }

 private:
  void compare(double a, double b, std::size_t i) {
    if (std::isnan(a) || std::isnan(b)) return compare_nan(std::isnan(a), std::isnan(b));
    if (std::isfinite(a) && std::isfinite(b)) {
      products_ += a * b;
      left_squares_ += a * a;
      right_squares_ += b * b;
    }
    const double distance = distance_of(a, b, i);
    if (distance == 0) return;
    const double magnitude = std::max(std::fabs(a), std::fabs(b));
    const double relative = std::isinf(distance) ? distance : distance / magnitude;
    result_.max_abs = std::max(result_.max_abs, distance);
    result_.max_rel = std::max(result_.max_rel, relative);
    if (std::isinf(distance) || distance > options_.atol + options_.rtol * magnitude) ++result_.different;
  }

  void compare_nan(bool left, bool right) {
    if (left && right) return;
    ++result_.different;
    ++(left ? result_.nan_left : result_.nan_right);
  }

  [[nodiscard]] double distance_of(double a, double b, std::size_t i) const {
    if (exact_signed_) return distance_at<std::int64_t>(left_.bytes(), right_.bytes(), i);
    if (exact_unsigned_) return distance_at<std::uint64_t>(left_.bytes(), right_.bytes(), i);
    return a == b ? 0 : std::fabs(a - b);
  }

  NumberReader left_;
  NumberReader right_;
  const DiffOptions& options_;
  bool exact_signed_ = false;
  bool exact_unsigned_ = false;
  ValueDiff result_;
  double products_ = 0;
  double left_squares_ = 0;
  double right_squares_ = 0;
};

TensorDiff diff_tensor(const TensorEntry& left, const TensorEntry& right, const DiffOptions& options) {
  TensorDiff diff{.name = left.spec.name, .left = left.spec, .right = right.spec};
  const bool same_dtype = left.spec.dtype == right.spec.dtype;
  if (left.spec.shape != right.spec.shape) {
    diff.kind = DiffKind::OtherShape;
  } else if (options.names_only) {
    diff.kind = same_dtype ? DiffKind::Identical : DiffKind::OtherDType;
  } else if (!same_dtype || !have_same_bytes(left, right, options)) {
    Comparison comparison(left, right, options);
    diff.values = comparison.run();
    diff.kind = diff.values.different > 0 ? DiffKind::Values
                : same_dtype              ? DiffKind::Equal
                                          : DiffKind::OtherDType;
  }
  return diff;
}

bool is_difference(const TensorDiff& diff, const DiffOptions& options) {
  if (diff.kind == DiffKind::OtherDType) return !options.ignore_dtype;
  return diff.kind != DiffKind::Identical && diff.kind != DiffKind::Equal;
}

std::vector<TensorEntry> all_tensors(Checkpoint checkpoint) {
  expand_aliases(checkpoint);
  return std::move(checkpoint.tensors);
}

}  // namespace

DiffReport diff_checkpoints(const Checkpoint& left, const Checkpoint& right, const DiffOptions& options) {
  const std::vector<TensorEntry> lefts = all_tensors(left);
  const std::vector<TensorEntry> rights = all_tensors(right);
  std::map<std::string_view, const TensorEntry*> unmatched;
  for (const TensorEntry& entry : rights) unmatched.emplace(entry.spec.name, &entry);
  DiffReport report;
  for (const TensorEntry& entry : lefts) {
    const auto found = unmatched.find(entry.spec.name);
    if (found == unmatched.end()) {
      report.tensors.push_back({.name = entry.spec.name, .kind = DiffKind::OnlyLeft, .left = entry.spec});
    } else {
      report.tensors.push_back(diff_tensor(entry, *found->second, options));
      unmatched.erase(found);
    }
  }
  for (const TensorEntry& entry : rights) {
    if (!unmatched.contains(entry.spec.name)) continue;
    report.tensors.push_back({.name = entry.spec.name, .kind = DiffKind::OnlyRight, .right = entry.spec});
  }
  report.same = std::ranges::none_of(report.tensors,
                                     [&](const TensorDiff& diff) { return is_difference(diff, options); });
  return report;
}

}  // namespace weighbridge
