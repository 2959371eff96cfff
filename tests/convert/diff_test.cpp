// What is different between two checkpoints.
#include <cmath>
#include <limits>

#include <weighbridge/convert.hpp>
#include <weighbridge/diff.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/small_checkpoints.hpp"

namespace weighbridge::test {
namespace {

DiffKind kind_of(const TensorEntry& left, const TensorEntry& right, const DiffOptions& options = {}) {
  return diff_checkpoints(checkpoint({left}), checkpoint({right}), options).tensors.front().kind;
}

TEST(Diff, TellsEveryKindOfDifference) {
  const TensorEntry ones = tensor("w", {1, 1});
  EXPECT_EQ(kind_of(ones, tensor("w", {1, 1})), DiffKind::Identical);
  EXPECT_EQ(kind_of(tensor("w", {0, 1}), tensor("w", {-0.0F, 1})), DiffKind::Equal);
  EXPECT_EQ(kind_of(ones, tensor("w", {1, 2})), DiffKind::Values);
  EXPECT_EQ(kind_of(ones, tensor("w", {1})), DiffKind::OtherShape);
  const Checkpoint half = apply_passes(checkpoint({ones}), {.dtype = DType::F16});
  EXPECT_EQ(kind_of(ones, half.tensors[0]), DiffKind::OtherDType);
  const DiffReport report = diff_checkpoints(checkpoint({ones}), checkpoint({tensor("v", {1})}));
  EXPECT_EQ(report.tensors[0].kind, DiffKind::OnlyLeft);
  EXPECT_EQ(report.tensors[1].kind, DiffKind::OnlyRight);
  EXPECT_FALSE(report.same);
  EXPECT_TRUE(diff_checkpoints(checkpoint({ones}), half, {.ignore_dtype = true}).same);
  EXPECT_FALSE(diff_checkpoints(checkpoint({ones}), half, {.names_only = true}).same);
  EXPECT_TRUE(
      diff_checkpoints(checkpoint({ones}), checkpoint({tensor("w", {2, 2})}), {.names_only = true}).same);
}

TEST(Diff, MeasuresNumbers) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const Checkpoint left = checkpoint({tensor("w", {1, 2, kNan, kNan, 3})});
  const Checkpoint right = checkpoint({tensor("w", {1, 4, kNan, 1, kNan})});
  const ValueDiff values = diff_checkpoints(left, right).tensors[0].values;
  EXPECT_EQ(values.numbers, 5U);
  EXPECT_EQ(values.different, 3U);
  EXPECT_EQ(values.nan_left, 1U);
  EXPECT_EQ(values.nan_right, 1U);
  EXPECT_EQ(values.max_abs, 2);
  EXPECT_EQ(values.max_rel, 0.5);
  EXPECT_DOUBLE_EQ(*values.cosine, 9 / std::sqrt(5.0 * 17.0));
  EXPECT_EQ(kind_of(tensor("w", {1, 2}), tensor("w", {1, 2.1F}), {.rtol = 0.1}), DiffKind::Equal);
  EXPECT_EQ(kind_of(tensor("w", {1, 2}), tensor("w", {1, 2.1F}), {.atol = 0.01}), DiffKind::Values);
}

TEST(Diff, ComparesWideIntegersExactly) {
  const auto wide = [](std::int64_t value) {
    return TensorEntry{.spec = {.name = "w", .dtype = DType::I64, .shape = {1}},
                       .data = {.source = source_of<std::int64_t>({value})}};
  };
  constexpr std::int64_t kLarge = std::int64_t{1} << 62;
  EXPECT_EQ(kind_of(wide(kLarge), wide(kLarge + 1)), DiffKind::Values);
  const DiffReport report = diff_checkpoints(checkpoint({wide(INT64_MIN)}), checkpoint({wide(INT64_MAX)}));
  EXPECT_EQ(report.tensors[0].values.max_abs, 18446744073709551615.0);
}

TEST(Diff, CountsTiedNamesAsTensors) {
  Checkpoint tied = checkpoint({tensor("embed", {1, 2})});
  tied.metadata = Metadata{{"head", "embed"}};
  EXPECT_TRUE(diff_checkpoints(tied, checkpoint({tensor("head", {1, 2}), tensor("embed", {1, 2})})).same);
}

}  // namespace
}  // namespace weighbridge::test
