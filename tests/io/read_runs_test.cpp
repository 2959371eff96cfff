#include <random>

#include <weighbridge/write.hpp>

#include <gtest/gtest.h>

#include "io/support.hpp"

namespace weighbridge {
namespace {

using namespace weighbridge::test;

/// All bytes of the runs, one by one.
std::string gather_slowly(const std::string& source, const ByteRuns& runs) {
  std::string out;
  std::vector<std::uint64_t> index(runs.loops.size());
  for (std::uint64_t run = 0; run * runs.run_bytes < runs.total_bytes; ++run) {
    std::uint64_t at = runs.offset;
    std::uint64_t rest = run;
    for (std::size_t i = runs.loops.size(); i-- > 0; rest /= runs.loops[i].count) {
      at += rest % runs.loops[i].count * runs.loops[i].stride;
    }
    out += source.substr(at, runs.run_bytes);
  }
  return out;
}

std::string gather(const ByteSource& source, const ByteRuns& runs, std::uint64_t from, std::uint64_t bytes,
                   Transform transform = Transform::None) {
  std::vector<std::byte> out(bytes);
  read_runs(source, runs, transform, from, out);
  return text_of(out);
}

struct Sources {
  TempFolder folder;
  std::string content;
  std::vector<SourcePtr> all;

  explicit Sources(std::size_t bytes) : content(pattern(bytes)) {
    put_file(folder / "content", content);
    all = {in_memory(content), open_file(folder / "content", ReadMode::Mapped),
           open_file(folder / "content", ReadMode::Positional), std::make_shared<ReadOnlySource>(content)};
  }
};

void expect_gathers(const Sources& sources, const ByteRuns& runs, std::mt19937_64& random) {
  const std::string expected = gather_slowly(sources.content, runs);
  ASSERT_EQ(expected.size(), runs.total_bytes);
  for (std::size_t i = 0; i < sources.all.size(); ++i) {
    ASSERT_EQ(gather(*sources.all[i], runs, 0, runs.total_bytes), expected) << "source " << i;
    const std::uint64_t from = random() % (runs.total_bytes + 1);
    const std::uint64_t bytes = random() % (runs.total_bytes - from + 1);
    ASSERT_EQ(gather(*sources.all[i], runs, from, bytes), expected.substr(from, bytes))
        << "source " << i << ", " << bytes << " bytes at " << from;
  }
}

TEST(ReadRuns, AgreesWithByteByByteOverRandomShapesStridesAndPositions) {
  const Sources sources(20'000);
  std::mt19937_64 random(7);
  for (int round = 0; round < 1500; ++round) {
    const std::uint64_t unit = std::array{1U, 2U, 4U, 8U, 16U, 3U, 24U, 100U}[random() % 8];
    std::vector<RunLoop> loops(random() % 5);
    std::uint64_t reach = unit;
    for (RunLoop& loop : loops) {
      loop.count = 1 + random() % 6;
      loop.stride = random() % 4 == 0 ? unit * (random() % 8) : random() % 700;
      reach += (loop.count - 1) * loop.stride;
    }
    const ByteRuns runs = strided(random() % (sources.content.size() - reach), unit, loops);
    expect_gathers(sources, runs, random);
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

TEST(ReadRuns, TransposesMatricesLargerThanItsScratch) {
  const Sources sources(3 << 20);
  std::mt19937_64 random(8);
  for (const std::uint64_t unit : {1U, 2U, 4U, 8U, 12U}) {
    const std::uint64_t rows = 700;
    const std::uint64_t row_bytes = (sources.content.size() / rows) / unit * unit;
    expect_gathers(sources, strided(0, unit, {{row_bytes / unit, unit}, {rows, row_bytes}}), random);
  }
}

TEST(ReadRuns, ReadsEverySecondItemOfALongRow) {
  const Sources sources(5 << 20);
  std::mt19937_64 random(9);
  expect_gathers(sources, strided(3, 4, {{600'000, 8}}), random);
}

TEST(ReadRuns, ReadsDistantLongRuns) {
  const Sources sources(4 << 20);
  std::mt19937_64 random(10);
  expect_gathers(sources, strided(5, 10'000, {{40, 100'000}}), random);
  expect_gathers(sources, strided(5, 1'100'000, {{2, 1'500'000}}), random);
}

TEST(ReadRuns, RepeatsExpandedItems) {
  const Sources sources(1000);
  std::mt19937_64 random(11);
  expect_gathers(sources, strided(8, 4, {{300, 0}, {5, 4}, {70, 0}}), random);
}

TEST(ReadRuns, CoalescesNeighboursIntoFewReads) {
  const ReadOnlySource source(pattern(1 << 20));
  gather(source, strided(0, 4, {{256, 4}, {1024, 1024}}), 0, 1 << 20);
  EXPECT_LE(source.reads, 2U);
}

TEST(ReadRuns, FetchesATransposedPieceRowByRowAndNotItemByItem) {
  const std::string content = pattern(8 << 20);
  const ReadOnlySource source(content);
  const ByteRuns transposed = strided(0, 4, {{16'384, 4}, {128, 65'536}});
  gather(source, transposed, 0, 128 * 4 * 100);  // a hundred columns
  EXPECT_EQ(source.reads, 128U);
}

TEST(ReadRuns, SwapsBytesOfEachWidth) {
  const auto source = in_memory("abcdefgh01234567");
  EXPECT_EQ(gather(*source, range_of(0, 16), 0, 16, Transform::Swap2), "badcfehg10325476");
  EXPECT_EQ(gather(*source, range_of(0, 16), 4, 12, Transform::Swap4), "hgfe32107654");
  EXPECT_EQ(gather(*source, range_of(0, 16), 8, 8, Transform::Swap8), "76543210");
  EXPECT_EQ(gather(*source, strided(0, 2, {{4, 4}}), 2, 6, Transform::Swap2), "fe1054");
}

TEST(ReadRuns, MakesBooleansZeroOrOneAndCountsTheChanges) {
  const auto source = in_memory(std::string("\x00\x01\x02\xFF\x01", 5));
  std::vector<std::byte> out(5);
  EXPECT_EQ(read_runs(*source, range_of(0, 5), Transform::Booleans, 0, out), 2U);
  EXPECT_EQ(text_of(out), std::string("\x00\x01\x01\x01\x01", 5));
}

TEST(ReadRuns, RefusesWhatLeavesTheRunsOrTheSource) {
  const auto source = in_memory(pattern(100));
  expect_error(ErrorCode::IoError, "leave runs of 10 bytes", [&] { gather(*source, range_of(0, 10), 5, 6); });
  expect_error(ErrorCode::IoError, "leave the source",
               [&] { gather(*source, strided(0, 4, {{3, 49}}), 0, 4); });
  constexpr std::uint64_t kHuge = UINT64_MAX / 2 + 1;
  expect_error(ErrorCode::IoError, "leave the source",
               [&] { gather(*source, strided(0, 4, {{3, kHuge}}), 8, 4); });
}

TEST(ReadRuns, GivesNothingOfEmptyRuns) {
  const auto source = in_memory("");
  EXPECT_EQ(gather(*source, ByteRuns{}, 0, 0), "");
  EXPECT_EQ(gather(*source, strided(0, 4, {{0, 4}}), 0, 0), "");
}

}  // namespace
}  // namespace weighbridge
