#include "io/uring.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/descriptor.hpp"
#include "io/support.hpp"
#include "support/refuse_call.hpp"

namespace weighbridge::io {
namespace {

using namespace weighbridge::test;

/// Where the system gives no rings there is nothing to test but that this is said.
class RingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Ring::open(1)) GTEST_SKIP() << "this system gives no io_uring";
  }
};

Descriptor open_for(const std::filesystem::path& path, int flags) {
  return Descriptor(::open(path.c_str(), flags | O_CLOEXEC, 0600));
}

TEST_F(RingTest, ReadsManyRangesAtOnce) {
  const TempFolder folder;
  const std::string content = pattern(64'000);
  put_file(folder / "f", content);
  const Descriptor file = open_for(folder / "f", O_RDONLY);
  std::vector<std::vector<std::byte>> out(64, std::vector<std::byte>(1000));
  auto ring = Ring::open(8);
  std::size_t next = 0;
  std::size_t ended = 0;
  while (ended < out.size()) {
    for (; next < out.size() && !ring->full(); ++next) ring->read(file.get(), next * 1000, out[next], next);
    const auto completion = ring->wait();
    EXPECT_EQ(completion.result, 1000);
    EXPECT_EQ(text_of(out[completion.tag]), content.substr(completion.tag * 1000, 1000));
    ++ended;
  }
  EXPECT_EQ(ring->in_flight(), 0U);
}

TEST_F(RingTest, Writes) {
  const TempFolder folder;
  const std::string content = pattern(9000);
  const Descriptor file = open_for(folder / "f", O_RDWR | O_CREAT);
  auto ring = Ring::open(4);
  const auto bytes = std::as_bytes(std::span(content));
  for (std::size_t i = 0; i < 3; ++i) ring->write(file.get(), i * 3000, bytes.subspan(i * 3000, 3000), i);
  while (ring->in_flight() > 0) EXPECT_EQ(ring->wait().result, 3000);
  std::vector<std::byte> out(9000);
  EXPECT_EQ(read_until_end(file.get(), 0, out, "f"), 9000U);
  EXPECT_EQ(text_of(out), content);
}

TEST_F(RingTest, GivesShortTransfersAndErrorsAsTheirResults) {
  const TempFolder folder;
  put_file(folder / "f", "content");
  const Descriptor file = open_for(folder / "f", O_RDONLY);
  std::vector<std::byte> out(100);
  auto ring = Ring::open(3);
  ring->read(file.get(), 3, out, 1);
  ring->read(-1, 0, out, 2);
  ring->read(file.get(), 7, out, 3);
  EXPECT_TRUE(ring->full());
  std::map<std::uint64_t, std::int64_t> results;
  while (ring->in_flight() > 0) {
    const auto completion = ring->wait();
    results[completion.tag] = completion.result;
  }
  EXPECT_EQ(results, (std::map<std::uint64_t, std::int64_t>{{1, 4}, {2, -EBADF}, {3, 0}}));
}

TEST_F(RingTest, WaitsInItsDestructorForWhatIsInFlight) {
  const TempFolder folder;
  const std::string content = pattern(1'000'000);
  put_file(folder / "f", content);
  const Descriptor file = open_for(folder / "f", O_RDONLY);
  std::vector<std::byte> first(content.size());
  std::vector<std::byte> second(content.size());
  {
    auto ring = Ring::open(2);
    ring->read(file.get(), 0, first, 1);
    ring->read(file.get(), 0, second, 2);
    (void)ring->wait();
  }
  EXPECT_EQ(text_of(first), content);
  EXPECT_EQ(text_of(second), content);
}

TEST(Ring, IsNotToBeHadWhereAFilterRefusesToMakeOne) {
  const auto try_it = [] {
    refuse_call(SYS_io_uring_setup, EPERM);
    std::_Exit(Ring::open(8) ? 1 : 0);
  };
  EXPECT_EXIT(try_it(), ::testing::ExitedWithCode(0), "");
}

TEST(Ring, IsNotToBeHadWhereAFilterRefusesToUseOne) {
  const auto try_it = [] {
    refuse_call(SYS_io_uring_enter, EPERM);
    std::_Exit(Ring::open(8) ? 1 : 0);
  };
  EXPECT_EXIT(try_it(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace weighbridge::io
