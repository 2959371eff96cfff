#include "io/read_ahead.hpp"

#include <memory>

#include <weighbridge/byte_source.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/descriptor.hpp"
#include "io/residency.hpp"
#include "io/support.hpp"

namespace weighbridge {
namespace {

using namespace weighbridge::test;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kLargeFile = 1000 * kMiB;

TEST(StretchWatch, TakesStretchesHereAndThereForSparse) {
  io::StretchWatch watch(kLargeFile);
  for (const std::uint64_t at : {500U, 100U, 300U, 900U}) EXPECT_TRUE(watch.is_sparse(at * kMiB, 40 * kMiB));
}

TEST(StretchWatch, LeavesLongOnesToTheKernel) {
  io::StretchWatch watch(kLargeFile);
  EXPECT_FALSE(watch.is_sparse(0, 65 * kMiB));
  EXPECT_TRUE(watch.is_sparse(500 * kMiB, kMiB));
}

TEST(StretchWatch, LeavesWhoGoesThroughTheFileToTheKernel) {
  io::StretchWatch watch(kLargeFile);
  for (std::uint64_t i = 0; i < 32; ++i) EXPECT_TRUE(watch.is_sparse((100 + 2 * i) * kMiB, 2 * kMiB)) << i;
  EXPECT_FALSE(watch.is_sparse(164 * kMiB, 2 * kMiB));
  EXPECT_FALSE(watch.is_sparse(166 * kMiB + 4096, 2 * kMiB));  // a small gap changes nothing
  EXPECT_TRUE(watch.is_sparse(10 * kMiB, 2 * kMiB));
}

TEST(StretchWatch, CountsWhatIsAskedForAgainOnce) {
  io::StretchWatch watch(kLargeFile);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(watch.is_sparse(kMiB, kMiB));
}

TEST(StretchWatch, LeavesMoreThanAThirdOfAFileToTheKernel) {
  io::StretchWatch watch(60 * kMiB);
  EXPECT_TRUE(watch.is_sparse(40 * kMiB, 20 * kMiB));
  EXPECT_TRUE(watch.is_sparse(0, 20 * kMiB));
  EXPECT_FALSE(watch.is_sparse(20 * kMiB, kMiB));
}

/// A file of 24 MiB that is not in memory, where its file system can be told so: on tmpfs all of it always
/// is.
class ColdFile {
 public:
  ColdFile() {
    put_file(path(), pattern(24 * kMiB));
    descriptor_ = io::Descriptor(::open(path().c_str(), O_RDWR | O_CLOEXEC));
    EXPECT_EQ(::fsync(descriptor_.get()), 0);
    EXPECT_EQ(::posix_fadvise(descriptor_.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
    before_ = resident(12 * kMiB, 12 * kMiB);
  }

  [[nodiscard]] std::filesystem::path path() const { return folder_ / "f"; }
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  [[nodiscard]] double resident(std::uint64_t offset, std::uint64_t length) const {
    return io::resident_share(*open_file(path()), offset, length).value_or(-1);
  }

  /// [offset, offset + length) is in memory, and nothing more of the second half than before.
  void expect_fetched(std::uint64_t offset, std::uint64_t length) const {
    EXPECT_EQ(resident(offset, length), 1);
    EXPECT_EQ(resident(12 * kMiB, 12 * kMiB), before_);
  }

 private:
  TempFolder folder_;
  io::Descriptor descriptor_;
  double before_ = 0;
};

TEST(FetchPages, BringsThePagesOfAStretchAndNoOthers) {
  const ColdFile file;
  io::fetch_pages(file.descriptor(), 3 * kMiB + 5, 7 * kMiB);
  file.expect_fetched(3 * kMiB, 7 * kMiB);
}

TEST(FetchPages, TakesWhatIsNotThereForNothing) {
  const ColdFile file;
  io::fetch_pages(file.descriptor(), 100 * kMiB, kMiB);
  io::fetch_pages(-1, 0, kMiB);
  EXPECT_GE(file.resident(0, kMiB), 0);
}

// Touches a byte of each page, as somebody does who was given a view.
int touch(const ByteSource& source, std::uint64_t offset, std::uint64_t length) {
  const Buffer view = *source.map(offset, length);
  int sum = 0;
  for (std::size_t at = 0; at < view.size(); at += 4096) sum += std::to_integer<int>(view.bytes()[at]);
  return sum;
}

TEST(FileSource, ReadsOfAMappingWhatIsExpectedAlone) {
  const ColdFile file;
  const SourcePtr source = open_file(file.path());
  source->expect(kMiB, 2 * kMiB);
  EXPECT_GT(touch(*source, kMiB, 2 * kMiB), 0);
  file.expect_fetched(kMiB, 2 * kMiB);
}

TEST(FileSource, TakesExpectationsOutsideOfItForNothing) {
  const TempFolder folder;
  put_file(folder / "f", "content");
  for (const ReadMode mode : {ReadMode::Mapped, ReadMode::Positional}) {
    const SourcePtr source = open_file(folder / "f", mode);
    source->expect(0, 8);
    source->expect(UINT64_MAX, UINT64_MAX);
    source->expect(3, 4);
    const Buffer content = source->read(3, 4);
    EXPECT_EQ(text_of(content.bytes()), "tent");
  }
}

TEST(SubSource, HandsExpectationsOn) {
  const ColdFile file;
  const SourcePtr part = sub_source(open_file(file.path()), 2 * kMiB, 8 * kMiB);
  part->expect(kMiB, kMiB);
  file.expect_fetched(3 * kMiB, kMiB);
  part->expect(0, 9 * kMiB);  // more than it has
  EXPECT_EQ(file.resident(3 * kMiB, kMiB), 1);
}

}  // namespace
}  // namespace weighbridge
