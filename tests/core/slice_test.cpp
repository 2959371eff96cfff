#include <random>

#include <weighbridge/error.hpp>
#include <weighbridge/slice.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weighbridge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ErrorCode code_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::IoError;
}

SlicePlan plan(DType dtype, const Shape& shape, std::string_view slice, const Shape& strides = {}) {
  return plan_slice(dtype, shape, parse_slice(slice), strides);
}

// Every byte offset that the runs visit, in order.
std::vector<std::uint64_t> offsets(const ByteRuns& runs) {
  std::vector<std::uint64_t> starts = {runs.offset};
  for (const RunLoop& loop : runs.loops) {
    std::vector<std::uint64_t> next;
    for (const std::uint64_t start : starts) {
      for (std::uint64_t i = 0; i < loop.count; ++i) next.push_back(start + i * loop.stride);
    }
    starts = std::move(next);
  }
  std::vector<std::uint64_t> bytes;
  if (runs.total_bytes == 0) return bytes;
  for (const std::uint64_t start : starts) {
    for (std::uint64_t i = 0; i < runs.run_bytes; ++i) bytes.push_back(start + i);
  }
  return bytes;
}

TEST(Slice, OfNothingIsTheWholeTensorInOneRun) {
  const SlicePlan whole = plan(DType::F32, {2, 3, 4}, "");
  EXPECT_THAT(whole.shape, ElementsAre(2, 3, 4));
  EXPECT_EQ(whole.runs, (ByteRuns{.offset = 0, .run_bytes = 96, .loops = {}, .total_bytes = 96}));
}

TEST(Slice, OfAScalarIsItsElement) {
  EXPECT_EQ(plan(DType::F64, {}, "").runs.run_bytes, 8U);
  EXPECT_EQ(code_of([] { plan(DType::F64, {}, "0"); }), ErrorCode::TooManySlices);
}

TEST(Slice, OfLeadingRowsIsOneRun) {
  const SlicePlan rows = plan(DType::BF16, {10, 4}, "2:5");
  EXPECT_THAT(rows.shape, ElementsAre(3, 4));
  EXPECT_EQ(rows.runs, (ByteRuns{.offset = 16, .run_bytes = 24, .loops = {}, .total_bytes = 24}));
}

TEST(Slice, OfAColumnIsOneLoopHoweverManyRows) {
  const SlicePlan column = plan(DType::BF16, {200'000, 64}, ":, :1");
  EXPECT_EQ(column.runs,
            (ByteRuns{.offset = 0, .run_bytes = 2, .loops = {{200'000, 128}}, .total_bytes = 400'000}));
}

TEST(Slice, MergesFullOuterDimensionsIntoOneLoop) {
  const SlicePlan last = plan(DType::F32, {3, 5, 8}, "..., 0:2");
  EXPECT_EQ(last.runs.loops, (std::vector<RunLoop>{{15, 32}}));
}

TEST(Slice, IntegersDropTheirDimension) {
  EXPECT_THAT(plan(DType::U8, {2, 3, 4}, "1, ..., -1").shape, ElementsAre(3));
  EXPECT_THAT(offsets(plan(DType::U8, {2, 3, 4}, "1, ..., -1").runs), ElementsAre(15, 19, 23));
}

TEST(Slice, ClampsRangesAsPythonDoes) {
  EXPECT_THAT(plan(DType::U8, {5}, "-100:100").shape, ElementsAre(5));
  EXPECT_THAT(plan(DType::U8, {5}, "4:2").shape, ElementsAre(0));
  EXPECT_THAT(plan(DType::U8, {5}, "7:").shape, ElementsAre(0));
  EXPECT_THAT(offsets(plan(DType::U8, {5}, "-2:").runs), ElementsAre(3, 4));
  EXPECT_THAT(offsets(plan(DType::U8, {5}, "1::3").runs), ElementsAre(1, 4));
}

TEST(Slice, OfAnEmptyDimensionIsEmpty) {
  const SlicePlan empty = plan(DType::F32, {0, 3}, ":");
  EXPECT_THAT(empty.shape, ElementsAre(0, 3));
  EXPECT_EQ(empty.runs.total_bytes, 0U);
  EXPECT_EQ(plan(DType::U8, {0, UINT64_MAX, 2}, "").runs.total_bytes, 0U);  // legal in the format
}

TEST(Slice, RefusesWhatIsOutside) {
  EXPECT_EQ(code_of([] { plan(DType::U8, {5}, "5"); }), ErrorCode::SliceOutOfRange);
  EXPECT_EQ(code_of([] { plan(DType::U8, {5}, "-6"); }), ErrorCode::SliceOutOfRange);
  EXPECT_EQ(code_of([] { plan(DType::U8, {0}, "0"); }), ErrorCode::SliceOutOfRange);
  EXPECT_EQ(code_of([] { plan(DType::U8, {5}, "0, 0"); }), ErrorCode::TooManySlices);
  EXPECT_EQ(code_of([] { plan(DType::U8, {5, 5}, "..., 0, ..."); }), ErrorCode::InvalidSlice);
}

TEST(Slice, CutsHalfBytesOnlyWhereAByteEnds) {
  EXPECT_EQ(plan(DType::F4, {4, 8}, ":, 2:6").runs,
            (ByteRuns{.offset = 1, .run_bytes = 2, .loops = {{4, 4}}, .total_bytes = 8}));
  EXPECT_EQ(code_of([] { plan(DType::F4, {4, 8}, ":, 1:3"); }), ErrorCode::MisalignedSlice);
  EXPECT_EQ(code_of([] { plan(DType::F4, {8}, "::2"); }), ErrorCode::MisalignedSlice);
  EXPECT_EQ(plan(DType::F6_E2M3, {8}, "4:8").runs.offset, 3U);
}

TEST(Slice, OfAnExpandedViewRepeatsItsBytes) {
  const ByteRuns runs = plan_runs(DType::U16, Shape{3, 2}, Shape{0, 2});
  EXPECT_EQ(runs, (ByteRuns{.offset = 0, .run_bytes = 4, .loops = {{3, 0}}, .total_bytes = 12}));
}

TEST(Slice, OfATransposedViewKeepsOneLoopADimension) {
  const ByteRuns runs = plan_runs(DType::F32, Shape{3, 2}, Shape{4, 12});  // of a [2, 3] matrix
  EXPECT_THAT(runs.loops, (std::vector<RunLoop>{{3, 4}, {2, 12}}));
}

TEST(Slice, RefusesSizesThatOverflow) {
  EXPECT_EQ(code_of([] { plan_runs(DType::F32, Shape{UINT64_MAX, 2}); }), ErrorCode::ValidationOverflow);
  EXPECT_EQ(code_of([] { plan_runs(DType::U8, Shape{3}, Shape{UINT64_MAX / 2}); }),
            ErrorCode::ValidationOverflow);
  EXPECT_EQ(code_of([] { plan_runs(DType::U8, Shape{UINT64_MAX, UINT64_MAX}, Shape{0, 0}); }),
            ErrorCode::ValidationOverflow);
}

// numpy's definition, element by element, for random tensors and slices.
TEST(Slice, AgreesWithElementwiseIndexing) {
  std::mt19937 random(7);
  const auto below = [&random](std::uint64_t n) { return random() % n; };
  for (int round = 0; round < 3000; ++round) {
    Shape shape;
    std::vector<SliceIndex> slice;
    std::vector<std::vector<std::uint64_t>> picked;  // positions taken of each dimension
    for (std::uint64_t d = below(5); d-- > 0;) {
      const std::uint64_t size = 1 + below(5);
      shape.push_back(size);
      const auto start = static_cast<std::int64_t>(below(size));
      const auto step = static_cast<std::int64_t>(1 + below(3));
      std::vector<std::uint64_t> positions;
      if (below(3) == 0) {
        slice.emplace_back(At{below(2) == 0 ? start : start - static_cast<std::int64_t>(size)});
        positions.push_back(static_cast<std::uint64_t>(start));
      } else {
        slice.emplace_back(Range{start, std::nullopt, step});
        for (auto i = static_cast<std::uint64_t>(start); i < size; i += static_cast<std::uint64_t>(step)) {
          positions.push_back(i);
        }
      }
      picked.push_back(positions);
    }
    std::vector<std::uint64_t> expected = {0};
    for (std::size_t d = 0; d < shape.size(); ++d) {
      std::vector<std::uint64_t> next;
      for (const std::uint64_t base : expected) {
        for (const std::uint64_t position : picked[d]) next.push_back(base * shape[d] + position);
      }
      expected = std::move(next);
    }
    EXPECT_EQ(offsets(plan_slice(DType::U8, shape, slice).runs), expected);
  }
}

TEST(SliceText, ReadsEveryForm) {
  EXPECT_EQ(parse_slice("").size(), 0U);
  EXPECT_EQ(parse_slice("[ ]").size(), 0U);
  const auto indices = parse_slice("[0, -1, 1:5, ::2, ..., :]");
  ASSERT_EQ(indices.size(), 6U);
  EXPECT_EQ(std::get<At>(indices[1]).index, -1);
  EXPECT_EQ(std::get<Range>(indices[2]).stop, 5);
  EXPECT_EQ(std::get<Range>(indices[3]).step, 2);
  EXPECT_TRUE(std::holds_alternative<Ellipsis>(indices[4]));
  EXPECT_EQ(std::get<Range>(indices[5]).start, std::nullopt);
  EXPECT_EQ(parse_slice("3,").size(), 1U);
}

TEST(SliceText, NamesThePlaceOfAMistake) {
  for (const char* text : {"a", "1:2:0", "1:2:-1", "[1", "1]", "1 2", "1,,2", "99999999999999999999", ".."}) {
    EXPECT_EQ(code_of([text] { (void)parse_slice(text); }), ErrorCode::InvalidSlice) << text;
  }
}

}  // namespace
}  // namespace weighbridge
