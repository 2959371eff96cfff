#include "io/direct_sink.hpp"

#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/support.hpp"
#include "io/uring.hpp"
#include "support/refuse_call.hpp"

namespace weighbridge::io {
namespace {

using namespace weighbridge::test;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

/// An empty file and what it shall become; skipped where files cannot be written to directly.
class DirectSinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!DirectSink::takes(open_direct(file_.get(), O_WRONLY))) GTEST_SKIP() << "no direct writes here";
  }

  [[nodiscard]] std::span<const std::byte> bytes(std::uint64_t begin, std::uint64_t end) const {
    return std::as_bytes(std::span(content_)).subspan(begin, end - begin);
  }

  [[nodiscard]] DirectSink sink(unsigned lanes) const {
    return {file_.get(), open_direct(file_.get(), O_WRONLY), "out", lanes};
  }

  /// Writes [begin, end) in parts of `part` bytes.
  void put(Sink& sink, std::uint64_t begin, std::uint64_t end, std::uint64_t part) const {
    for (std::uint64_t at = begin; at < end; at += part) sink.write(at, bytes(at, std::min(end, at + part)));
  }

  void expect_whole() const { EXPECT_TRUE(get_file(folder_ / "out") == content_); }

  /// Runs `action` in a process of its own, which may refuse itself some calls; gives its exit status.
  static int in_child(const std::function<int()>& action) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 98;
      try {
        code = action();
      } catch (...) {
      }
      ::_exit(code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  TempFolder folder_;
  std::string content_ = pattern(9 * kMiB + 12'345);
  Descriptor file_{::open((folder_ / "out").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
};

TEST_F(DirectSinkTest, PutsPartsOfAnySizeTogether) {
  for (const std::uint64_t part : {std::uint64_t{4096}, std::uint64_t{70'001}, kMiB, content_.size()}) {
    ASSERT_EQ(::ftruncate(file_.get(), 0), 0);
    DirectSink out = sink(1);
    put(out.lane(0), 0, content_.size(), part);
    out.complete();
    expect_whole();
    EXPECT_EQ(out.direct_bytes(), content_.size() / 4096 * 4096) << "all but what is no whole block";
  }
}

TEST_F(DirectSinkTest, TakesStretchesInAnyOrder) {
  DirectSink out = sink(1);
  Sink& lane = out.lane(0);
  const std::vector<std::uint64_t> cuts = {
      0, 1, 4095, 5000, 300'000, 2 * kMiB + 7, 5 * kMiB, content_.size()};
  for (std::size_t i = cuts.size() - 1; i-- > 0;) lane.write(cuts[i], bytes(cuts[i], cuts[i + 1]));
  out.complete();
  expect_whole();
}

TEST_F(DirectSinkTest, TakesBytesFromManyThreads) {
  constexpr unsigned kThreads = 5;
  DirectSink out = sink(kThreads);
  const std::uint64_t share = content_.size() / kThreads + 1;  // their borders lie within blocks
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        put(out.lane(i), i * share, std::min<std::uint64_t>(content_.size(), (i + 1) * share), 99'991);
      });
    }
  }
  out.complete();
  expect_whole();
}

TEST_F(DirectSinkTest, WritesWithoutARing) {
  const int status = in_child([&] {
    refuse_call(SYS_io_uring_setup, ENOSYS);
    DirectSink out = sink(2);
    put(out.lane(0), 0, 4 * kMiB, kMiB);
    put(out.lane(1), 4 * kMiB, content_.size(), kMiB);
    out.complete();
    return !out.used_io_uring() && out.direct_bytes() > 9 * kMiB ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
  expect_whole();
}

TEST_F(DirectSinkTest, WritesInTheUsualWayWhatADirectWriteDoesNotTake) {
  DirectFile refusing = open_direct(file_.get(), O_RDONLY);
  DirectSink out(file_.get(), std::move(refusing), "out", 1);
  put(out, 0, content_.size(), 100'000);
  out.complete();
  expect_whole();
  EXPECT_EQ(out.direct_bytes(), 0U);
}

TEST_F(DirectSinkTest, SaysThatTheDiskIsFull) {
  const int status = in_child([&] {
    refuse_call(SYS_io_uring_setup, EPERM);
    refuse_call(SYS_pwrite64, ENOSPC);
    DirectSink out = sink(1);
    const auto error = error_of([&] {
      put(out, 0, content_.size(), kMiB);
      out.complete();
    });
    return error && error->system_error() == ENOSPC ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

TEST_F(DirectSinkTest, IsLetGoOfWithWritesOnTheirWay) {
  {
    DirectSink out = sink(1);
    put(out, 0, content_.size(), kMiB);
  }
  EXPECT_LE(get_file(folder_ / "out").size(), content_.size());
}

TEST(DirectFile, IsNoneForAFileThatMayNotBeWrittenTo) {
  const TempFolder folder;
  put_file(folder / "f", "content");
  const Descriptor pipe_like(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_FALSE(DirectSink::takes(open_direct(pipe_like.get(), O_WRONLY)));
  EXPECT_FALSE(DirectSink::takes(open_direct(-1, O_WRONLY)));
}

}  // namespace
}  // namespace weighbridge::io
