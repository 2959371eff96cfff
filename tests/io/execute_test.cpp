#include "io/execute.hpp"

#include <chrono>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>

#include "io/crew.hpp"
#include "io/pieces.hpp"
#include "io/support.hpp"

namespace weighbridge::io {
namespace {

using namespace weighbridge::test;

/// Keeps what it is given, and counts the calls.
class MemorySink final : public Sink {
 public:
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const std::lock_guard lock(mutex_);
    ++writes;
    if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
    content.replace(offset, bytes.size(), text_of(bytes));
  }
  Copied copy(FileExtent, std::uint64_t, std::uint64_t) override { return {}; }

  std::string content;
  std::size_t writes = 0;

 private:
  std::mutex mutex_;
};

std::string carried(const FilePlan& plan, unsigned threads, MemorySink& sink) {
  const WriteOptions options;
  ProgressMeter meter(options, plan.total_bytes);
  carry_out(plan, sink, threads, meter);
  return sink.content;
}

void verify(const FilePlan& plan, const std::string& written, unsigned threads = 0) {
  const WriteOptions options;
  ProgressMeter meter(options, plan.total_bytes);
  verify_written(plan, *in_memory(written), threads, meter);
}

TEST(Crew, DoesEveryJobOnce) {
  for (const unsigned lanes : {1U, 2U, 8U}) {
    std::vector<std::atomic<int>> done(1000);
    run_crew(done.size(), lanes, [&](std::size_t job, unsigned lane) {
      EXPECT_LT(lane, lanes);
      ++done[job];
    });
    for (const auto& count : done) EXPECT_EQ(count, 1);
  }
}

cpu_set_t allowed_processors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  EXPECT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  return allowed;
}

TEST(Crew, ItsThreadsMayRunWhereTheCallerMay) {
  const cpu_set_t before = allowed_processors();
  std::atomic<int> as_before = 0;
  run_crew(4, 4, [&](std::size_t, unsigned) {
    // Whoever starts a thread may not be done with sending it elsewhere.
    for (int tries = 0; tries < 10'000; ++tries) {
      const cpu_set_t now = allowed_processors();
      if (CPU_EQUAL(&now, &before)) {
        ++as_before;
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  EXPECT_EQ(as_before, 4);
  const cpu_set_t after = allowed_processors();
  EXPECT_TRUE(CPU_EQUAL(&after, &before));
}

// One processor is all that some containers give.
TEST(Crew, WorksOnOneProcessor) {
  std::thread([] {
    const cpu_set_t all = allowed_processors();
    unsigned first = 0;
    while (!CPU_ISSET(first, &all)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    std::atomic<int> done = 0;
    run_crew(100, 3, [&](std::size_t, unsigned) { ++done; });
    EXPECT_EQ(done, 100);
    const cpu_set_t after = allowed_processors();
    EXPECT_TRUE(CPU_EQUAL(&after, &one));
  }).join();
}

TEST(Crew, StopsAtTheFirstExceptionAndThrowsItOnce) {
  for (const unsigned lanes : {1U, 4U}) {
    std::atomic<int> started = 0;
    EXPECT_THROW(run_crew(100'000, lanes,
                          [&](std::size_t job, unsigned) {
                            ++started;
                            if (job == 10) throw std::runtime_error("job 10");
                            std::this_thread::yield();
                          }),
                 std::runtime_error);
    EXPECT_LT(started, 100'000);
  }
}

TEST(CarryOut, GathersAHundredThousandTinyStepsIntoWritesOfAMebibyte) {
  const std::string content = pattern(64'000);
  const SourcePtr source = in_memory(content);
  PlanBuilder builder("head");
  for (std::size_t i = 0; i < 100'000; ++i) builder.copy(source, content, i % 60'000, 40);
  MemorySink sink;
  EXPECT_TRUE(carried(builder.plan(), 1, sink) == builder.expected());
  EXPECT_LE(sink.writes, 4U);  // of 4'000'004 bytes
}

TEST(CarryOut, CutsTransformedTensorsAtWholeElements) {
  // The step begins at an odd byte, so that every border of a piece falls inside an element.
  const std::string content = pattern(20 << 20);
  std::string swapped = content;
  for (std::size_t i = 0; i < swapped.size(); i += 8) std::reverse(&swapped[i], &swapped[i] + 8);
  PlanBuilder builder("odd");
  builder.add(in_memory(content), range_of(0, content.size()), swapped, Transform::Swap8);
  for (const unsigned threads : {1U, 12U}) {
    MemorySink sink;
    EXPECT_TRUE(carried(builder.plan(), threads, sink) == builder.expected());
    EXPECT_NO_THROW(verify(builder.plan(), builder.expected(), threads));
  }
}

TEST(CarryOut, ReadsAStreamFromFrontToBackHoweverManyThreads) {
  const std::string content = pattern(20 << 20);
  const auto stream = std::make_shared<ReadOnlySource>(content);
  PlanBuilder builder("head");
  builder.copy(in_memory(content), content, 0, 5 << 20);
  builder.copy(stream, content, 0, 9 << 20);
  builder.copy(stream, content, 9 << 20, 11 << 20);
  builder.copy(in_memory(content), content, 0, 5 << 20);
  MemorySink sink;
  EXPECT_TRUE(carried(builder.plan(), 12, sink) == builder.expected());
  EXPECT_FALSE(stream->went_back);
}

TEST(CarryOut, WritesAHeadOnly) {
  MemorySink sink;
  EXPECT_EQ(carried(PlanBuilder("head").plan(), 0, sink), "head");
  MemorySink empty;
  EXPECT_EQ(carried(FilePlan{}, 0, empty), "");
}

TEST(PlanJobs, CoverEveryByteOnce) {
  PlanBuilder builder(pattern(1000));
  const std::string content = pattern(10'000);
  builder.copy(in_memory(content), content, 0, 7000);
  builder.copy(std::make_shared<ReadOnlySource>(content), content, 0, 9000);
  builder.copy(in_memory(content), content, 0, 7000);
  std::uint64_t end = 0;
  for (const OutputRange& job : plan_jobs(builder.plan(), 512)) {
    EXPECT_EQ(job.begin, end);
    EXPECT_GT(job.end, job.begin);
    end = job.end;
  }
  EXPECT_EQ(end, builder.expected().size());
}

TEST(Divide, KeepsAllBuffersWithinTheBound) {
  for (const unsigned threads : {0U, 1U, 4U, 5U, 64U, 4'000'000U}) {
    const Division division = divide(std::uint64_t{1} << 40, threads);
    EXPECT_GE(division.lanes, 1U);
    EXPECT_LE(division.lanes * (division.piece_bytes + (1 << 20)), std::uint64_t{60} << 20);
  }
  EXPECT_EQ(divide(1000, 0).lanes, 1U);
}

TEST(Verify, NamesTheTensorAndTheByteThatDiffer) {
  const std::string content = pattern(9 << 20);
  PlanBuilder builder("head");
  builder.copy(in_memory(content), content, 0, 1000);
  builder.copy(std::make_shared<ReadOnlySource>(content), content, 0, content.size());
  builder.add(in_memory("abcd"), range_of(0, 4), "dcba", Transform::Swap4);
  const auto damaged = [&](std::size_t at) {
    std::string copy = builder.expected();
    copy[at] = static_cast<char>(copy[at] ^ 1);
    return copy;
  };
  EXPECT_NO_THROW(verify(builder.plan(), builder.expected()));
  expect_error(ErrorCode::VerificationFailed, "header was written wrongly: byte 2 ",
               [&] { verify(builder.plan(), damaged(2)); });
  expect_error(ErrorCode::VerificationFailed, "tensor 't0' differs from its source in byte 7 (byte 11 ",
               [&] { verify(builder.plan(), damaged(11)); });
  expect_error(ErrorCode::VerificationFailed, "tensor 't1' differs from its source in byte 8000000 ",
               [&] { verify(builder.plan(), damaged(8'001'004)); });
  expect_error(ErrorCode::VerificationFailed, "tensor 't2' differs from its source in byte 3 ",
               [&] { verify(builder.plan(), damaged(builder.expected().size() - 1)); });
}

TEST(Verify, ComparesBytesAndNotNumbers) {
  const std::string nans("\xff\xff\xff\x7f\x00\x00\xc0\x7f", 8);
  PlanBuilder builder("");
  builder.copy(in_memory(nans), nans, 0, 8);
  EXPECT_NO_THROW(verify(builder.plan(), nans));
  expect_error(ErrorCode::VerificationFailed, "byte 3",
               [&] { verify(builder.plan(), std::string("\xff\xff\xff\xff\x00\x00\xc0\x7f", 8)); });
}

TEST(Verify, NoticesAWrongSize) {
  expect_error(ErrorCode::VerificationFailed, "has 3 bytes, 4 were",
               [&] { verify(PlanBuilder("head").plan(), "hea"); });
}

}  // namespace
}  // namespace weighbridge::io
