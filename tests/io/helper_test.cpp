#include "io/helper.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weighbridge::io {
namespace {

using namespace std::chrono_literals;

Helper helper_that_waits() {
  Helper helper([] {});
  helper.wait();
  return helper;
}

TEST(HelperTest, WorksBesideTheThreadThatMadeIt) {
  std::thread::id other;
  Helper helper([&other] { other = std::this_thread::get_id(); });
  helper.wait();
  EXPECT_NE(other, std::thread::id());
  EXPECT_NE(other, std::this_thread::get_id());
}

TEST(HelperTest, StaysForMoreWork) {
  // On a machine that is busy elsewhere it may have ended before it is asked.
  for (int tries = 0; tries < 1000; ++tries) {
    std::thread::id first;
    std::thread::id second;
    Helper helper([&first] { first = std::this_thread::get_id(); });
    helper.wait();
    if (!helper.start([&second] { second = std::this_thread::get_id(); })) continue;
    helper.wait();
    EXPECT_EQ(first, second);
    return;
  }
  FAIL() << "it never stayed";
}

TEST(HelperTest, EndsWhenThereIsNoMoreWork) {
  Helper helper = helper_that_waits();
  auto rest = 20ms;
  for (; rest < 20s; rest *= 2) {
    std::this_thread::sleep_for(rest);
    if (!helper.start([] {})) return;
    helper.wait();
  }
  FAIL() << "it was still there after " << rest.count() << " ms";
}

bool blocks(int signal) {
  sigset_t blocked;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  return ::sigismember(&blocked, signal) == 1;
}

TEST(HelperTest, WorksWithTheSignalsOfItsMaker) {
  ASSERT_FALSE(blocks(SIGUSR1));
  bool blocked = true;
  Helper helper([&blocked] { blocked = blocks(SIGUSR1); });
  helper.wait();
  EXPECT_FALSE(blocked);
  blocked = true;
  if (helper.start([&blocked] { blocked = blocks(SIGUSR1); })) {
    helper.wait();
    EXPECT_FALSE(blocked);
  }
  EXPECT_FALSE(blocks(SIGUSR1));
}

TEST(HelperTest, TakesNoSignalsWhileItWaits) {
  Helper helper = helper_that_waits();
  sigset_t one;
  sigset_t before;
  ::sigemptyset(&one);
  ::sigaddset(&one, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &one,
                    &before);  // now only the helper could take it, and would end the process
  ::kill(::getpid(), SIGUSR1);
  const timespec patience{.tv_sec = 20, .tv_nsec = 0};
  EXPECT_EQ(::sigtimedwait(&one, nullptr, &patience), SIGUSR1);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(HelperTest, TakesNoWorkInAForkedProcess) {
  Helper helper = helper_that_waits();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    bool started = true;
    {
      Helper copy = std::move(helper);
      started = copy.start([] {});
    }
    // Not by _exit, before which ThreadSanitizer looks for threads that ended and were never joined: this
    // one has where the fork came late, and only the parent can join it.
    std::quick_exit(started ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace weighbridge::io
