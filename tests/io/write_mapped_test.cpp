#include "io/write_mapped.hpp"

#include <filesystem>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/descriptor.hpp"
#include "io/preallocate.hpp"
#include "io/support.hpp"

namespace weighbridge::io {
namespace {

using namespace weighbridge::test;

/// A file of 5 MiB that is to become `content_`, its space taken.
class WriteMapped : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(preallocate(file_.get(), content_.size(), "out")); }

  [[nodiscard]] std::span<const std::byte> bytes(std::uint64_t begin, std::uint64_t end) const {
    return std::as_bytes(std::span(content_)).subspan(begin, end - begin);
  }

  std::uint64_t put(std::uint64_t begin, std::uint64_t end) const {
    return write_mapped(file_.get(), begin, bytes(begin, end));
  }

  TempFolder folder_;
  std::string content_ = pattern((5 << 20) + 321);
  Descriptor file_{::open((folder_ / "out").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
};

TEST_F(WriteMapped, PutsBytesAnywhere) {
  const std::vector<std::uint64_t> cuts = {0, 1, 4096, 70'001, 1 << 20, 3'333'333, content_.size()};
  for (std::size_t i = cuts.size() - 1; i-- > 0;) EXPECT_EQ(put(cuts[i], cuts[i + 1]), cuts[i + 1] - cuts[i]);
  EXPECT_TRUE(get_file(folder_ / "out") == content_);
}

TEST_F(WriteMapped, ThreadsMayMeetWithinAPage) {
  constexpr unsigned kThreads = 7;
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        EXPECT_GT(put(i * content_.size() / kThreads, (i + 1) * content_.size() / kThreads), 0U);
      });
    }
  }
  EXPECT_TRUE(get_file(folder_ / "out") == content_);
}

TEST_F(WriteMapped, DoesNothingWhereTheFileCannotBeMapped) {
  const Descriptor unreadable(::open((folder_ / "out").c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(write_mapped(unreadable.get(), 0, bytes(0, 100)), 0U);
  EXPECT_EQ(write_mapped(-1, 0, bytes(0, 100)), 0U);
}

TEST_F(WriteMapped, StopsBeforeTheEndOfAFileThatIsShorter) {
  ASSERT_EQ(::ftruncate(file_.get(), 1 << 20), 0);
  EXPECT_EQ(put(0, 3 << 20), std::uint64_t{1} << 20) << "and no signal";
}

/// The same out of another file, in which it lies behind 3 bytes.
class CopyMapped : public WriteMapped {
 protected:
  void SetUp() override {
    WriteMapped::SetUp();
    put_file(folder_ / "in", "abc" + content_);
    in_ = Descriptor(::open((folder_ / "in").c_str(), O_RDONLY | O_CLOEXEC));
  }

  std::uint64_t copy(std::uint64_t begin, std::uint64_t end) const {
    return copy_mapped({.descriptor = in_.get(), .offset = 3 + begin}, file_.get(), begin, end - begin);
  }

  Descriptor in_;
};

TEST_F(CopyMapped, PutsPartsOfAFileAnywhere) {
  const std::vector<std::uint64_t> cuts = {0, 1, 4096, 70'001, 1 << 20, 3'333'333, content_.size()};
  for (std::size_t i = cuts.size() - 1; i-- > 0;)
    EXPECT_EQ(copy(cuts[i], cuts[i + 1]), cuts[i + 1] - cuts[i]);
  EXPECT_TRUE(get_file(folder_ / "out") == content_);
}

TEST_F(CopyMapped, StopsWhereTheOtherFileEnds) {
  std::filesystem::resize_file(folder_ / "in", (2 << 20) + 10);
  EXPECT_EQ(copy(100, 3 << 20), std::uint64_t{(2 << 20) + 10 - 3 - 100});
  EXPECT_EQ(copy(3 << 20, 4 << 20), 0U);
}

TEST_F(CopyMapped, StopsWhereTheOtherFileCannotBeRead) {
  in_ = Descriptor(::open((folder_ / "in").c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(copy(0, 1 << 20), 0U);
}

TEST_F(CopyMapped, StopsBeforeTheEndOfAFileThatIsShorter) {
  ASSERT_EQ(::ftruncate(file_.get(), 1 << 20), 0);
  EXPECT_EQ(copy(0, 3 << 20), std::uint64_t{1} << 20) << "and no signal";
}

TEST_F(WriteMapped, IsUnsafeForAFileThatSomebodyElseMayMakeShorter) {
  EXPECT_FALSE(is_safe_to_map(file_.get()));
  EXPECT_FALSE(is_safe_to_map(-1));
}

}  // namespace
}  // namespace weighbridge::io
