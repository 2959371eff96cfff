#include "io/crew.hpp"

#include <array>
#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weighbridge::io {
namespace {

// This one starts no threads in the child of a process that has several.
#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadsAfterFork = false;
#elif defined(__has_feature)
constexpr bool kThreadsAfterFork = !__has_feature(thread_sanitizer);
#else
constexpr bool kThreadsAfterFork = true;
#endif

constexpr std::size_t kJobs = 100;

/// How often each job was done.
std::vector<int> done_by(unsigned lanes) {
  std::vector<int> done(kJobs);
  run_crew(kJobs, lanes, [&](std::size_t job, unsigned) { ++done[job]; });
  return done;
}

const std::vector<int> kOnceEach(kJobs, 1);

TEST(CrewTest, DoesEachJobOnce) {
  for (const unsigned lanes : {0U, 1U, 2U, 3U, 8U, 2U}) EXPECT_EQ(done_by(lanes), kOnceEach) << lanes;
}

TEST(CrewTest, HasNoMoreLanesThanProcessorsToRunOn) {
  cpu_set_t all;
  ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
  EXPECT_EQ(useful_lanes(100'000, 1), static_cast<unsigned>(CPU_COUNT(&all)));
  std::thread([] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(useful_lanes(100'000, 1), 1U);
  }).join();
}

TEST(CrewTest, HasAThreadForEachLane) {
  for (int again = 0; again < 2; ++again) {
    std::array<std::thread::id, 4> threads;
    std::latch all(threads.size());  // each waits until all have a job
    run_crew(threads.size(), threads.size(), [&](std::size_t, unsigned lane) {
      threads[lane] = std::this_thread::get_id();
      all.arrive_and_wait();
    });
    EXPECT_EQ(threads[0], std::this_thread::get_id());
    for (std::size_t i = 1; i < threads.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) EXPECT_NE(threads[i], threads[j]);
    }
  }
}

TEST(CrewTest, ThrowsTheFirstFailureWhenAllAreBack) {
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  const auto fail = [&] {
    run_crew(kJobs, 3, [&](std::size_t job, unsigned) {
      ++begun;
      if (job == 5) throw std::runtime_error("job 5");
      ++ended;
    });
  };
  EXPECT_THROW(fail(), std::runtime_error);
  EXPECT_EQ(begun, ended + 1);
  EXPECT_EQ(done_by(3), kOnceEach);
}

TEST(CrewTest, MayRunWithinAnother) {
  std::atomic<int> done = 0;
  run_crew(4, 2, [&](std::size_t, unsigned) { run_crew(kJobs, 3, [&](std::size_t, unsigned) { ++done; }); });
  EXPECT_EQ(done, 4 * kJobs);
}

TEST(CrewTest, WorksInAForkedProcess) {
  if (!kThreadsAfterFork) GTEST_SKIP() << "ThreadSanitizer allows no threads there";
  EXPECT_EQ(done_by(3), kOnceEach);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(done_by(3) == kOnceEach ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

/// Does work when its thread ends.
struct LastWork {
  LastWork() = default;
  LastWork(const LastWork&) = delete;
  LastWork& operator=(const LastWork&) = delete;
  ~LastWork() {
    if (result != nullptr) *result = done_by(3);
  }
  std::vector<int>* result = nullptr;
};

TEST(CrewTest, WorksWhileItsThreadEnds) {
  std::vector<int> last;
  std::thread([&last] {
    thread_local LastWork work;  // made before a crew keeps anything, so that it goes after that
    work.result = &last;
    EXPECT_EQ(done_by(3), kOnceEach);
  }).join();
  EXPECT_EQ(last, kOnceEach);
}

}  // namespace
}  // namespace weighbridge::io
