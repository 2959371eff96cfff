// Hostile headers: what they cost in memory. Each is read in a child process, whose peak the kernel
// keeps. Costs are linear, so 16 MB stand for the 100 MB that the format allows.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>

#include <weighbridge/header.hpp>

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/header_dsl.hpp"
#include "core/header_paths.hpp"

namespace weighbridge {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryIsShadowed = true;
#elif defined(__has_feature)
constexpr bool kMemoryIsShadowed = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kMemoryIsShadowed = false;
#endif

constexpr std::size_t kHeaderBytes = 16'000'000;
constexpr double kMostPerByte = 3.0;

using Piece = std::function<std::string(std::size_t)>;

// `head`, pieces with commas between them until the header is full, `tail`, and spaces.
SourcePtr full_header(std::string head, const Piece& piece, std::string_view tail) {
  head.reserve(kHeaderBytes);
  for (std::size_t i = 0;; ++i) {
    const std::string next = piece(i);
    if (head.size() + 1 + next.size() + tail.size() > kHeaderBytes) break;
    if (i != 0) head.push_back(',');
    head.append(next);
  }
  head.append(tail).resize(kHeaderBytes, ' ');
  return test::source_of(head);
}

// A number in four letters: different for the first fifteen million.
std::string letters(std::size_t number) {
  static constexpr std::string_view kDigits =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string text(4, '0');
  for (char& letter : text) {
    letter = kDigits[number % kDigits.size()];
    number /= kDigits.size();
  }
  return text;
}

std::uint64_t status_bytes(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::stoull(line.substr(field.size() + 1)) * 1024;
  }
  return 0;
}

// What happened in the child, in fixed-size form for the pipe.
struct Outcome {
  char verdict[32] = {};
  std::uint64_t tensors = 0;
  std::uint64_t peak_bytes = 0;
};

Outcome read_here(const ByteSource& source, const Limits& limits, std::size_t parts) {
  Outcome outcome;
  std::string verdict = "OK";
  mallopt(M_MMAP_THRESHOLD, 128 << 10);  // what is large and freed is not kept for later
  malloc_trim(0);                        // or memory that the test has freed would hide what the reader takes
  const std::uint64_t before = status_bytes("VmRSS:");
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts again from here
  try {
    outcome.tensors =
        read_header_by(test::crew_of(parts), source, limits, *std::pmr::get_default_resource()).size();
  } catch (const Error& error) {
    verdict = error_code_name(error.code());
  }
  outcome.peak_bytes = status_bytes("VmHWM:") - before;
  std::snprintf(outcome.verdict, sizeof outcome.verdict, "%s", verdict.c_str());
  return outcome;
}

Outcome read_in_child(const ByteSource& source, const Limits& limits, std::size_t parts) {
  int ends[2] = {};
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const Outcome outcome = read_here(source, limits, parts);
    const auto written = write(ends[1], &outcome, sizeof outcome);
    _exit(written == sizeof outcome ? 0 : 1);
  }
  close(ends[1]);
  Outcome outcome;
  EXPECT_EQ(read(ends[0], &outcome, sizeof outcome), static_cast<ssize_t>(sizeof outcome));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  return outcome;
}

class HeaderMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (kMemoryIsShadowed) GTEST_SKIP() << "sanitizers take memory of their own";
  }

  static Outcome expect_bounded(const ByteSource& source, std::string_view verdict,
                                const Limits& limits = {}) {
    const Outcome outcome = read_in_child(source, limits, 4);
    expect_bounded(outcome, verdict);
    expect_bounded(read_in_child(source, limits, 1), verdict);
    return outcome;
  }

 private:
  static void expect_bounded(const Outcome& outcome, std::string_view verdict) {
    EXPECT_EQ(std::string_view(outcome.verdict), verdict);
    EXPECT_GE(outcome.peak_bytes, kHeaderBytes / 2) << "the measurement is broken";
    EXPECT_LE(static_cast<double>(outcome.peak_bytes), kMostPerByte * kHeaderBytes);
  }
};

TEST_F(HeaderMemory, OfTinyTensors) {
  const SourcePtr source =
      full_header("{", [](std::size_t i) { return test::entry(letters(i), "F4", {0}, 0, 0); }, "}");
  EXPECT_GT(expect_bounded(*source, "OK").tensors, 280'000U);
}

TEST_F(HeaderMemory, OfTensorsInReverseOrder) {
  const SourcePtr source = full_header(
      "{",
      [](std::size_t i) { return test::entry(letters(i), "U8", {1}, 10'000'000 - i - 1, 10'000'000 - i); },
      "}");
  expect_bounded(*source, "InvalidOffset");
}

TEST_F(HeaderMemory, OfOneNameRepeated) {
  const SourcePtr source =
      full_header("{", [](std::size_t) { return test::entry("", "F4", {0}, 0, 0); }, "}");
  expect_bounded(*source, "DuplicateKey");
}

TEST_F(HeaderMemory, OfOneHugeShape) {
  const SourcePtr source = full_header(
      R"({"a":{"dtype":"U8","data_offsets":[0,0],"shape":[)", [](std::size_t) { return "0"; }, "]}}");
  expect_bounded(*source, "LimitExceeded");
  Limits limits;
  limits.rank = UINT32_MAX;
  expect_bounded(*source, "LimitExceeded", limits);
}

TEST_F(HeaderMemory, OfManyShapesFollowedByManyTensors) {
  const Shape zeros(255, 0);
  const SourcePtr source = full_header(
      "{", [&](std::size_t i) { return test::entry(letters(i), "F4", i < 7'500 ? zeros : Shape{0}, 0, 0); },
      "}");
  expect_bounded(*source, "LimitExceeded");
}

TEST_F(HeaderMemory, OfAnUnknownFieldWithAHugeArray) {
  const SourcePtr source = full_header(
      R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":[)", [](std::size_t) { return "0"; }, "]}}");
  EXPECT_EQ(expect_bounded(*source, "OK").tensors, 1U);
}

TEST_F(HeaderMemory, OfUnknownFieldsWithoutEnd) {
  const SourcePtr source = full_header(
      R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],)", [](std::size_t) { return R"("":0)"; }, "}}");
  expect_bounded(*source, "OK");
}

TEST_F(HeaderMemory, OfDeepNesting) {
  const std::string deep(kHeaderBytes / 2, '[');
  const SourcePtr source = full_header(R"({"a":{"x":)" + deep, [](std::size_t) { return "0"; }, "");
  expect_bounded(*source, "InvalidHeaderDeserialization");
}

TEST_F(HeaderMemory, OfTinyMetadata) {
  const SourcePtr source =
      full_header(R"({"__metadata__":{)", [](std::size_t i) { return "\"" + letters(i) + R"(":"")"; }, "}}");
  expect_bounded(*source, "LimitExceeded");
  Limits limits;
  limits.metadata_entries = UINT64_MAX;
  expect_bounded(*source, "LimitExceeded", limits);
}

}  // namespace
}  // namespace weighbridge
