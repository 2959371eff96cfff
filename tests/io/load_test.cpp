#include <array>
#include <cstdlib>
#include <thread>

#include <weighbridge/load.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/smaps.hpp"
#include "io/support.hpp"
#include "support/refuse_call.hpp"

namespace weighbridge {
namespace {

using namespace weighbridge::test;

constexpr std::array kModes = {LoadMode::Auto, LoadMode::View, LoadMode::Copy, LoadMode::Direct};
constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Steps with memory of their own, and what that must hold in the end.
class Steps {
 public:
  /// `shift` bytes lie before the memory, so that it has any alignment.
  Steps& add(const SourcePtr& source, const ByteRuns& runs, std::string expected, std::size_t shift = 0) {
    memory_.push_back(std::vector<std::byte>(shift + expected.size()));
    steps_.push_back({.source = source, .runs = runs, .out = std::span(memory_.back()).subspan(shift)});
    expected_.push_back(std::move(expected));
    return *this;
  }

  Steps& range(const SourcePtr& source, const std::string& content, std::size_t offset, std::size_t bytes,
               std::size_t shift = 0) {
    return add(source, range_of(offset, bytes), content.substr(offset, bytes), shift);
  }

  LoadReport load(const LoadOptions& options = {}) { return load_into(steps_, options); }

  void expect_loaded() {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      EXPECT_TRUE(text_of(steps_[i].out) == expected_[i]) << "step " << i;
      std::ranges::fill(memory_[i], std::byte{});
    }
  }

  std::vector<LoadStep>& steps() { return steps_; }

 private:
  std::vector<std::vector<std::byte>> memory_;
  std::vector<std::string> expected_;
  std::vector<LoadStep> steps_;
};

/// Columns [first, first + width) of `rows` rows of `row` bytes.
std::string columns(const std::string& content, std::size_t rows, std::size_t row, std::size_t first,
                    std::size_t width) {
  std::string text;
  for (std::size_t i = 0; i < rows; ++i) text += content.substr(i * row + first, width);
  return text;
}

/// A file that notes what of it was mapped.
class MapCounter final : public ByteSource {
 public:
  explicit MapCounter(SourcePtr file) : file_(std::move(file)) {}
  std::uint64_t size() const override { return file_->size(); }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override { file_->read_at(offset, out); }
  std::optional<FileExtent> file_extent(std::uint64_t offset) const override {
    return file_->file_extent(offset);
  }
  std::optional<Buffer> map(std::uint64_t offset, std::uint64_t length) const override {
    std::uint64_t longest = longest_;
    while (longest < length && !longest_.compare_exchange_weak(longest, length)) {
    }
    return file_->map(offset, length);
  }
  std::string name() const override { return file_->name(); }

  std::uint64_t longest_map() const { return longest_; }

 private:
  SourcePtr file_;
  mutable std::atomic<std::uint64_t> longest_ = 0;
};

class LoadTest : public ::testing::Test {
 protected:
  SourcePtr file(const std::string& name, const std::string& content) {
    put_file(folder_ / name, content);
    return open_file(folder_ / name);
  }
  const TempFolder folder_;
};

TEST_F(LoadTest, GivesTheSameBytesInEveryModeFromManyFiles) {
  const std::string first = pattern(9 * kMiB + 123, 1);
  const std::string second = pattern(300'000, 2);
  const SourcePtr a = file("a", first);
  const SourcePtr b = file("b", second);
  Steps steps;
  steps.range(a, first, 1, 5 * kMiB)
      .range(b, second, 299'000, 1000)
      .range(a, first, 5 * kMiB + 1, 4 * kMiB + 122)
      .add(a, strided(70, 700, {{1000, 5600}}), columns(first, 1000, 5600, 70, 700))
      .range(in_memory(second), second, 7, 100)
      .range(b, second, 10, 20)
      .range(b, second, 0, 0)
      .range(b, second, 40, 7)
      .range(b, second, 44, 50);  // wanted by two
  for (const LoadMode mode : kModes) {
    for (const unsigned threads : {1U, 3U}) {
      const LoadReport report = steps.load({.mode = mode, .threads = threads});
      steps.expect_loaded();
      EXPECT_EQ(report.threads, threads);
      ASSERT_EQ(report.files.size(), 3U);
      EXPECT_EQ(report.files[0].name, (folder_ / "a").native());
      EXPECT_EQ(report.files[1].bytes_wanted, 1077U);
      EXPECT_EQ(report.files[2].mode, mode == LoadMode::Auto ? LoadMode::View : report.files[2].mode);
    }
  }
}

TEST_F(LoadTest, GivesTheSameBytesInLargePages) {
  const std::string content = pattern(65 * kMiB + 5);
  const SourcePtr source = file("f", content);
  for (const LoadMode mode : kModes) {
    const FreshMemory memory(content.size());
    for (int again = 0; again < 2; ++again) {
      const LoadStep step{.source = source, .runs = range_of(0, content.size()), .out = memory.bytes()};
      load_into(std::span(&step, 1), {.mode = mode, .large_pages = true});
      EXPECT_TRUE(text_of(memory.bytes()) == content) << load_mode_name(mode);
      std::ranges::fill(memory.bytes(), std::byte{});
    }
  }
}

TEST_F(LoadTest, ReadsDirectlyWhateverTheAlignment) {
  const std::string content = pattern(6 * kMiB + 1001);
  const SourcePtr source = file("f", content);
  for (const bool io_uring : {true, false}) {
    for (const std::size_t offset : {0UL, 1UL, 512UL, 4095UL, 4096UL, 5000UL}) {
      for (const std::size_t shift : {0UL, 1UL, 8UL, 904UL}) {
        Steps steps;
        steps.range(source, content, offset, 3 * kMiB, shift)
            .range(source, content, offset + 3 * kMiB, 100'000)
            .range(source, content, 4 * kMiB + offset, content.size() - 4 * kMiB - offset, shift);
        const LoadReport report = steps.load({.mode = LoadMode::Direct, .io_uring = io_uring});
        steps.expect_loaded();
        EXPECT_TRUE(io_uring || !report.files[0].io_uring);
      }
    }
  }
}

TEST_F(LoadTest, ReadsManySmallRangesDirectlyInFewBlocks) {
  const std::string content = pattern(4 * kMiB);
  const SourcePtr source = file("f", content);
  Steps steps;
  for (std::size_t i = 0; i < 4000; ++i) steps.range(source, content, i * 1000 + i % 7, 900);
  const LoadReport report = steps.load({.mode = LoadMode::Direct});
  steps.expect_loaded();
  EXPECT_LE(report.bytes_read, 4'001'000U + 2 * 4096);
}

TEST_F(LoadTest, ReadsNearRangesAsOneAndLeavesOutWhatIsFar) {
  const std::string content = pattern(4 * kMiB);
  const SourcePtr source = file("f", content);
  Steps steps;
  steps.range(source, content, 2'000'000, 500)
      .range(source, content, 100, 50)
      .range(source, content, 250, 50);
  const LoadReport near = steps.load({.mode = LoadMode::Copy, .coalesce_gap = 100});
  steps.expect_loaded();
  EXPECT_EQ(near.bytes_read, 200U + 500U);
  const LoadReport apart = steps.load({.mode = LoadMode::Copy, .coalesce_gap = 99});
  steps.expect_loaded();
  EXPECT_EQ(apart.bytes_read, 600U);
  EXPECT_EQ(apart.bytes_wanted, 600U);
}

TEST_F(LoadTest, NeverMapsWhatWasOpenedWithoutAMapping) {
  const std::string content = pattern(100'000);
  put_file(folder_ / "f", content);
  const SourcePtr source = open_file(folder_ / "f", ReadMode::Positional);
  Steps steps;
  steps.range(source, content, 3, 90'000);
  const LoadReport report = steps.load({.mode = LoadMode::View});
  steps.expect_loaded();
  EXPECT_EQ(report.files[0].mode, LoadMode::Copy);
  EXPECT_EQ(report.files[0].why, "view was asked for, and it cannot be mapped");
}

TEST_F(LoadTest, NeverTouchesAMappingForRowsThatAreToBeRead) {
  constexpr std::size_t kRow = 64'000;
  const std::string content = pattern(40 * kRow);
  const auto source = std::make_shared<MapCounter>(file("f", content));
  Steps steps;
  steps.add(source, strided(100, 5000, {{40, kRow}}), columns(content, 40, kRow, 100, 5000))
      .add(source, strided(9000, 70, {{40, kRow}}), columns(content, 40, kRow, 9000, 70));
  steps.load({.mode = LoadMode::Copy});
  steps.expect_loaded();
  EXPECT_EQ(source->longest_map(), 1U);  // to learn whether it could be
  steps.load({.mode = LoadMode::View});
  steps.expect_loaded();
  EXPECT_GT(source->longest_map(), kRow);
}

TEST_F(LoadTest, ReadsASourceThatIsNoFile) {
  const std::string content = pattern(9 * kMiB);
  const auto source = std::make_shared<ReadOnlySource>(content);
  Steps steps;
  steps.range(source, content, 100, 8 * kMiB)
      .add(source, strided(5, 10, {{300, 1000}}), columns(content, 300, 1000, 5, 10));
  for (const LoadMode mode : kModes) {
    const LoadReport report = steps.load({.mode = mode});
    steps.expect_loaded();
    EXPECT_EQ(report.files[0].mode, LoadMode::Copy);
  }
}

TEST_F(LoadTest, FallsBackToThreadsWhereAFilterRefusesIoUring) {
  const std::string content = pattern(3 * kMiB);
  const SourcePtr source = file("f", content);
  const auto try_it = [&] {
    refuse_call(SYS_io_uring_setup, EPERM);
    Steps steps;
    steps.range(source, content, 5, 2 * kMiB);
    const LoadReport report = steps.load({.mode = LoadMode::Direct});
    const bool right =
        text_of(steps.steps()[0].out) == content.substr(5, 2 * kMiB) && !report.files[0].io_uring;
    std::_Exit(right ? 0 : 1);
  };
  EXPECT_EXIT(try_it(), ::testing::ExitedWithCode(0), "");
}

TEST_F(LoadTest, ReadsThroughThePageCacheWhereNoDirectDescriptorIsToBeHad) {
  const std::string content = pattern(3 * kMiB);
  const SourcePtr source = file("f", content);
  const auto try_it = [&] {
    refuse_call(SYS_openat, EACCES);
    Steps steps;
    steps.range(source, content, 5, 2 * kMiB);
    const LoadReport report = steps.load({.mode = LoadMode::Direct});
    const bool right = text_of(steps.steps()[0].out) == content.substr(5, 2 * kMiB) &&
                       report.files[0].mode == LoadMode::Copy &&
                       report.files[0].why == "asked for; no direct reads here (Permission denied)";
    std::_Exit(right ? 0 : 1);
  };
  EXPECT_EXIT(try_it(), ::testing::ExitedWithCode(0), "");
}

TEST_F(LoadTest, RefusesMemoryOfTheWrongSize) {
  const SourcePtr source = file("f", "content");
  std::vector<std::byte> out(4);
  for (const std::size_t bytes : {3UL, 5UL}) {
    const std::vector<LoadStep> steps = {{source, range_of(0, bytes), out}};
    expect_error(ErrorCode::InvalidArgument, "needs " + std::to_string(bytes) + " bytes of memory",
                 [&] { load_into(steps); });
  }
}

TEST_F(LoadTest, RefusesMemoryThatIsGivenTwice) {
  const SourcePtr source = file("f", "content");
  std::vector<std::byte> out(6);
  const std::vector<LoadStep> steps = {{source, range_of(0, 3), std::span(out).subspan(2, 3)},
                                       {source, range_of(3, 3), std::span(out).first(3)}};
  expect_error(ErrorCode::InvalidArgument, "the memory of step 0", [&] { load_into(steps); });
  EXPECT_EQ(out, std::vector<std::byte>(6));
}

TEST_F(LoadTest, RefusesRangesThatLeaveTheFile) {
  const SourcePtr source = file("f", "content");
  std::vector<std::byte> out(6);
  for (const ByteRuns& runs : {range_of(2, 6), range_of(~std::uint64_t{0}, 6), strided(0, 3, {{2, 5}}),
                               strided(1, 3, {{2, ~std::uint64_t{0}}})}) {
    const std::vector<LoadStep> steps = {{source, runs, out}};
    expect_error(ErrorCode::IoError, "leave the source of 7 bytes", [&] { load_into(steps); });
  }
}

TEST_F(LoadTest, RefusesAStepWithoutASource) {
  const std::vector<LoadStep> steps = {{nullptr, {}, {}}};
  expect_error(ErrorCode::InvalidArgument, "step 0 has no source", [&] { load_into(steps); });
}

TEST_F(LoadTest, SaysThatAFileBecameShorter) {
  const std::string content = pattern(8 * kMiB);
  const SourcePtr source = file("f", content);
  Steps steps;
  steps.range(source, content, 0, content.size());
  std::filesystem::resize_file(folder_ / "f", kMiB);
  for (const LoadMode mode : kModes)
    expect_error(ErrorCode::IoError, "it changed while it was read", [&] { steps.load({.mode = mode}); });
}

/// What the mapping of a file does whose end is cut off half way; any answer but SIGBUS is right.
TEST_F(LoadTest, SaysThatAFileBecameShorterDuringTheLoad) {
  const std::string content = pattern(24 * kMiB);
  for (const LoadMode mode : kModes) {
    const SourcePtr source = file("f", content);
    Steps steps;
    steps.range(source, content, 0, content.size());
    const Progress cut = [&](std::uint64_t, std::uint64_t) {
      std::filesystem::resize_file(folder_ / "f", kMiB / 2);
    };
    expect_error(ErrorCode::IoError, "while it was",
                 [&] { steps.load({.mode = mode, .threads = 1, .progress = cut}); });
  }
}

TEST_F(LoadTest, SaysThatAFileWasWrittenToDuringTheLoad) {
  const std::string content = pattern(2 * kMiB);
  for (const LoadMode mode : kModes) {
    const SourcePtr source = file("f", content);
    Steps steps;
    steps.range(source, content, 0, content.size());
    const Progress touch = [&](std::uint64_t, std::uint64_t) {
      const std::array<timespec, 2> times = {{{0, UTIME_OMIT}, {1, 0}}};
      ::utimensat(AT_FDCWD, (folder_ / "f").c_str(), times.data(), 0);
    };
    expect_error(ErrorCode::IoError, "was written to while it was loaded",
                 [&] { steps.load({.mode = mode, .progress = touch}); });
  }
}

TEST_F(LoadTest, StopsWhenItIsCancelled) {
  const std::string content = pattern(32 * kMiB);
  const SourcePtr source = file("f", content);
  for (const LoadMode mode : kModes) {
    Steps steps;
    steps.range(source, content, 0, content.size());
    std::atomic<bool> cancel = false;
    std::atomic<std::uint64_t> seen = 0;
    const Progress progress = [&](std::uint64_t done, std::uint64_t) {
      seen = done;
      cancel = true;
    };
    expect_error(ErrorCode::Cancelled, "the load was cancelled",
                 [&] { steps.load({.mode = mode, .threads = 2, .progress = progress, .cancel = &cancel}); });
    EXPECT_LT(seen, content.size());
  }
}

TEST_F(LoadTest, PassesOnWhatTheProgressFunctionThrows) {
  const std::string content = pattern(32 * kMiB);
  const SourcePtr source = file("f", content);
  Steps steps;
  steps.range(source, content, 0, content.size());
  const Progress progress = [](std::uint64_t, std::uint64_t) { throw std::runtime_error("enough"); };
  for (const LoadMode mode : kModes)
    EXPECT_THROW(steps.load({.mode = mode, .progress = progress}), std::runtime_error);
}

TEST_F(LoadTest, ReportsProgressUpToTheEnd) {
  const std::string content = pattern(5 * kMiB);
  const SourcePtr source = file("f", content);
  for (const LoadMode mode : kModes) {
    Steps steps;
    steps.range(source, content, 0, 4 * kMiB).range(source, content, 4 * kMiB, 77);
    std::uint64_t last = 0;
    const Progress progress = [&](std::uint64_t done, std::uint64_t total) {
      EXPECT_GT(done, last);
      EXPECT_EQ(total, 4 * kMiB + 77);
      last = done;
    };
    steps.load({.mode = mode, .progress = progress});
    EXPECT_EQ(last, 4 * kMiB + 77);
  }
}

TEST_F(LoadTest, OfNothingReadsNothing) {
  const LoadReport report = load_into({});
  EXPECT_TRUE(report.files.empty());
  EXPECT_EQ(report.bytes_read, 0U);
}

TEST_F(LoadTest, DescribesItself) {
  const LoadReport report{
      .files = {{.name = "m.safetensors",
                 .mode = LoadMode::Direct,
                 .why = "asked for",
                 .bytes_wanted = 3 * kMiB,
                 .bytes_read = 4 * kMiB,
                 .io_uring = true},
                {.mode = LoadMode::View, .why = "it is in memory", .bytes_wanted = 7, .bytes_read = 7}},
      .bytes_wanted = 3 * kMiB + 7,
      .bytes_read = 4 * kMiB + 7,
      .threads = 2,
      .seconds = 0.0125};
  EXPECT_EQ(describe(report),
            "'m.safetensors': direct by io_uring, 3.0 MiB wanted, 4.0 MiB read: asked for\n"
            "memory: view, 7 bytes wanted, 7 bytes read: it is in memory\n"
            "loaded 3.0 MiB in 12.5 ms on 2 threads\n");
}

}  // namespace
}  // namespace weighbridge
