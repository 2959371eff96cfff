#include <algorithm>

#include <gtest/gtest.h>

#include "formats/zip/archive.hpp"
#include "formats/zip/crc32.hpp"
#include "formats/zip/layout.hpp"

namespace weighbridge::zip {
namespace {

/// A planned file without its writing: reads come from the steps.
class PlannedSource final : public ByteSource {
 public:
  explicit PlannedSource(FilePlan plan) : plan_(std::move(plan)) {}

  std::uint64_t size() const override { return plan_.total_bytes; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    const std::uint64_t last = offset + out.size();
    auto step = std::ranges::partition_point(plan_.steps, [&](const CopyStep& each) {
      return each.destination + each.runs.total_bytes <= offset;
    });
    for (; step != plan_.steps.end() && step->destination < last; ++step) {
      const std::uint64_t begin = std::max(offset, step->destination);
      const std::uint64_t end = std::min(last, step->destination + step->runs.total_bytes);
      read_runs(*step->source, step->runs, step->transform, begin - step->destination,
                out.subspan(begin - offset, end - begin));
    }
  }

 private:
  FilePlan plan_;
};

std::string text_of(const ByteSource& source) {
  const Buffer buffer = source.read(0, source.size());
  return {reinterpret_cast<const char*>(buffer.bytes().data()), buffer.size()};
}

void expect_no_gaps(const FilePlan& plan) {
  std::uint64_t at = plan.head.size();
  for (const CopyStep& step : plan.steps) {
    EXPECT_EQ(step.destination, at) << step.name;
    at += step.runs.total_bytes;
  }
  EXPECT_EQ(at, plan.total_bytes);
}

/// Zeros without end.
class Zeros final : public ByteSource {
 public:
  std::uint64_t size() const override { return UINT64_MAX; }
  void read_at(std::uint64_t, std::span<std::byte> out) const override {
    std::ranges::fill(out, std::byte{0});
  }
};

NewEntry zeros(std::string name, std::uint64_t bytes) {
  return {.name = name,
          .content = {.name = name,
                      .source = std::make_shared<Zeros>(),
                      .runs = {.run_bytes = bytes, .total_bytes = bytes}}};
}

TEST(ZipLayout, ReadsBackAsAnArchive) {
  const FilePlan plan =
      plan_stored_archive({text_entry("a", "hello"), text_entry("b/c", ""), text_entry("d", "x")}, 64);
  expect_no_gaps(plan);
  const auto source = std::make_shared<PlannedSource>(plan);
  const Archive archive = Archive::read(source, Limits{});
  EXPECT_TRUE(archive.findings().empty());
  ASSERT_EQ(archive.entries().size(), 3U);
  EXPECT_EQ(text_of(*archive.open(*archive.find("a"))), "hello");
  EXPECT_EQ(text_of(*archive.open(*archive.find("b/c"))), "");
  for (const Entry& entry : archive.entries()) {
    EXPECT_EQ(entry.crc32, compute_crc32(*archive.open(entry))) << entry.name;
  }
}

TEST(ZipLayout, StartsEveryContentAtTheAlignment) {
  for (std::size_t length = 1; length <= 130; ++length) {
    const FilePlan plan =
        plan_stored_archive({text_entry(std::string(length, 'n'), "x"), text_entry("y", "y")}, 64);
    expect_no_gaps(plan);
    EXPECT_EQ(plan.steps[1].destination % 64, 0U);
    EXPECT_EQ(plan.steps[3].destination % 64, 0U);
  }
}

TEST(ZipLayout, ReadsNothingUntilItIsWritten) {
  int calls = 0;
  const FilePlan plan = plan_stored_archive({text_entry("a", "hello")}, 64, [&](const CopyStep&) {
    ++calls;
    return 7U;
  });
  EXPECT_EQ(calls, 0);
  PlannedSource source(plan);
  text_of(source);
  text_of(source);
  EXPECT_EQ(calls, 1);
}

TEST(ZipLayout, GivesLargeEntriesAndOffsetsTheirZip64Fields) {
  constexpr std::uint64_t kLarge = std::uint64_t{5} << 30;
  const auto no_checksum = [](const CopyStep&) { return 0U; };
  const FilePlan plan =
      plan_stored_archive({zeros("large", kLarge), text_entry("behind", "x")}, 64, no_checksum);
  expect_no_gaps(plan);
  EXPECT_EQ(plan.steps[1].destination % 64, 0U);
  const Archive archive = Archive::read(std::make_shared<PlannedSource>(plan), Limits{});
  EXPECT_EQ(archive.find("large")->bytes, kLarge);
  EXPECT_EQ(text_of(*archive.open(*archive.find("behind"))), "x");
}

TEST(ZipLayout, TheLargest32BitSizeIsAlreadyWide) {
  const auto no_checksum = [](const CopyStep&) { return 0U; };
  for (const std::uint64_t bytes : {0xFFFFFFFEULL, 0xFFFFFFFFULL, 0x100000000ULL}) {
    const FilePlan plan = plan_stored_archive({zeros("z", bytes)}, 64, no_checksum);
    const Archive archive = Archive::read(std::make_shared<PlannedSource>(plan), Limits{});
    EXPECT_EQ(archive.find("z")->bytes, bytes);
  }
}

TEST(ZipLayout, ManyEntriesGetZip64EndRecords) {
  std::vector<NewEntry> entries;
  for (int i = 0; i < 70'000; ++i) entries.push_back(text_entry(std::to_string(i), ""));
  const FilePlan plan = plan_stored_archive(std::move(entries), 4);
  expect_no_gaps(plan);
  EXPECT_EQ(Archive::read(std::make_shared<PlannedSource>(plan), Limits{}).entries().size(), 70'000U);
}

TEST(ZipLayout, RefusesWhatNoArchiveCanHold) {
  EXPECT_THROW(plan_stored_archive({text_entry(std::string(70'000, 'n'), "")}, 64), Error);
  EXPECT_THROW(plan_stored_archive({zeros("z", UINT64_MAX - 10)}, 64), Error);
}

}  // namespace
}  // namespace weighbridge::zip
