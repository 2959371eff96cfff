#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <weighbridge/byte_source.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/descriptor.hpp"
#include "io/file_system.hpp"
#include "io/support.hpp"

namespace weighbridge {
namespace {

using namespace weighbridge::test;

constexpr std::array kModes = {ReadMode::Auto, ReadMode::Mapped, ReadMode::Positional};

std::string read_text(const ByteSource& source, std::uint64_t offset, std::size_t bytes) {
  std::vector<std::byte> out(bytes);
  source.read_at(offset, out);
  return text_of(out);
}

TEST(FileSource, GivesTheSameBytesInEveryMode) {
  const TempFolder folder;
  const std::string content = pattern(100'000);
  put_file(folder / "f", content);
  for (const ReadMode mode : kModes) {
    const SourcePtr source = open_file(folder / "f", mode);
    EXPECT_EQ(source->size(), content.size());
    EXPECT_EQ(read_text(*source, 0, content.size()), content);
    EXPECT_EQ(read_text(*source, 70'001, 999), content.substr(70'001, 999));
    EXPECT_EQ(read_text(*source, content.size(), 0), "");
    const Buffer buffer = source->read(5, 50);
    EXPECT_EQ(text_of(buffer.bytes()), content.substr(5, 50));
  }
}

TEST(FileSource, MapsUnlessReadingIsPositional) {
  const TempFolder folder;
  put_file(folder / "f", "content");
  EXPECT_TRUE(open_file(folder / "f", ReadMode::Auto)->map(0, 7));
  EXPECT_TRUE(open_file(folder / "f", ReadMode::Mapped)->map(0, 7));
  EXPECT_FALSE(open_file(folder / "f", ReadMode::Positional)->map(0, 7));
}

/// Whether this process maps the file.
bool is_mapped(const std::filesystem::path& path) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.ends_with(path.native())) return true;
  }
  return false;
}

TEST(FileSource, GivesItsMappingBack) {
  const TempFolder folder;
  put_file(folder / "f", "content");
  EXPECT_TRUE(open_file(folder / "f")->map(0, 7));
  EXPECT_FALSE(is_mapped(folder / "f"));
}

TEST(FileSource, GivesALargeMappingBackInTheEnd) {
  const TempFolder folder;
  put_file(folder / "f", "content");
  std::filesystem::resize_file(folder / "f", std::uintmax_t{256} << 20);
  {
    const auto mapped = open_file(folder / "f")->map(0, 7);
    ASSERT_TRUE(mapped);
    EXPECT_TRUE(is_mapped(folder / "f"));
  }
  while (is_mapped(folder / "f")) std::this_thread::yield();  // another thread is at it
}

TEST(FileSource, KeepsAMappingAliveWithItsBuffer) {
  const TempFolder folder;
  put_file(folder / "f", "content");
  const Buffer buffer = *open_file(folder / "f")->map(3, 4);
  EXPECT_EQ(text_of(buffer.bytes()), "tent");
}

TEST(FileSource, ReadsAnEmptyFile) {
  const TempFolder folder;
  put_file(folder / "f", "");
  for (const ReadMode mode : kModes) {
    const SourcePtr source = open_file(folder / "f", mode);
    EXPECT_EQ(source->size(), 0U);
    EXPECT_EQ(source->read(0, 0).size(), 0U);
  }
}

TEST(FileSource, RefusesRangesOutsideTheFile) {
  const TempFolder folder;
  put_file(folder / "f", "content");
  for (const ReadMode mode : kModes) {
    const SourcePtr source = open_file(folder / "f", mode);
    expect_error(ErrorCode::IoError, "leaves the source of 7 bytes", [&] { read_text(*source, 5, 3); });
    expect_error(ErrorCode::IoError, "leaves the source", [&] { (void)source->map(UINT64_MAX, 2); });
  }
}

TEST(FileSource, TellsWhereItsBytesAreInTheFile) {
  const TempFolder folder;
  put_file(folder / "f", "content");
  const SourcePtr part = sub_source(open_file(folder / "f"), 3, 4);
  const auto extent = part->file_extent(1);
  ASSERT_TRUE(extent);
  char c = 0;
  ASSERT_EQ(::pread(extent->descriptor, &c, 1, static_cast<off_t>(extent->offset)), 1);
  EXPECT_EQ(c, 'e');
}

TEST(FileSource, KeepsTheSystemsReasonForAFileThatCannotBeOpened) {
  const TempFolder folder;
  EXPECT_EQ(error_of([&] { open_file(folder / "missing"); })->system_error(), ENOENT);
  EXPECT_EQ(error_of([&] { open_file(folder.path()); })->system_error(), EISDIR);
  put_file(folder / "f", "secret");
  EXPECT_EQ(error_of([&] { open_file(folder / "f/g"); })->system_error(), ENOTDIR);
  if (::geteuid() == 0) return;  // root may read everything
  std::filesystem::permissions(folder / "f", std::filesystem::perms::none);
  EXPECT_EQ(error_of([&] { open_file(folder / "f"); })->system_error(), EACCES);
}

TEST(FileSource, NamesWhatIsNoRegularFileWithoutWaitingForIt) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  expect_error(ErrorCode::IoError, "is a pipe, a regular file is needed",
               [&] { open_file(folder / "fifo"); });
  expect_error(ErrorCode::IoError, "is a character device", [&] { open_file("/dev/null"); });
  std::array<int, 2> sockets{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()), 0);
  expect_error(ErrorCode::IoError, "is a socket", [&] { open_descriptor(sockets[0]); });
  ::close(sockets[0]);
  ::close(sockets[1]);
  EXPECT_NO_THROW(io::require_regular(S_IFREG | 0644, "f"));
  expect_error(ErrorCode::IoError, "is a block device", [] { io::require_regular(S_IFBLK | 0600, "disk"); });
}

TEST(FileSource, DuplicatesTheDescriptorItIsGiven) {
  const TempFolder folder;
  put_file(folder / "f", "content");
  const int descriptor = ::open((folder / "f").c_str(), O_RDONLY | O_CLOEXEC);
  const SourcePtr source = open_descriptor(descriptor);
  ASSERT_EQ(::close(descriptor), 0);
  EXPECT_EQ(read_text(*source, 0, 7), "content");
  EXPECT_EQ(error_of([] { open_descriptor(-1); })->system_error(), EBADF);
}

TEST(FileSource, RefusesADescriptorThatIsOnlyForWriting) {
  const TempFolder folder;
  const io::Descriptor descriptor(::open((folder / "f").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(error_of([&] { open_descriptor(descriptor.get()); })->system_error(), EBADF);
}

TEST(FileSource, ReportsBothSizesOfAFileThatShrankOrGrew) {
  const TempFolder folder;
  put_file(folder / "f", pattern(10'000));
  const SourcePtr source = open_file(folder / "f", ReadMode::Positional);
  std::filesystem::resize_file(folder / "f", 4000);
  expect_error(ErrorCode::IoError, "has 4000 bytes and had 10000", [&] { read_text(*source, 0, 10'000); });
  EXPECT_NO_THROW(read_text(*source, 0, 4000));
  std::filesystem::resize_file(folder / "f", 12'000);
  expect_error(ErrorCode::IoError, "has 12000 bytes and had 10000", [&] { read_text(*source, 0, 10'000); });
}

TEST(FileSource, SurvivesASignalStorm) {
  const TempFolder folder;
  const std::string content = pattern(4 << 20);
  put_file(folder / "f", content);
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) {};  // without SA_RESTART: calls that can be interrupted are
  ASSERT_EQ(::sigaction(SIGALRM, &action, &before), 0);
  const itimerval storm{.it_interval = {0, 200}, .it_value = {0, 200}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &storm, nullptr), 0);
  const SourcePtr source = open_file(folder / "f", ReadMode::Positional);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(read_text(*source, 0, content.size()) == content);
  const itimerval calm{};
  ::setitimer(ITIMER_REAL, &calm, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
}

TEST(FileSource, ServesSeveralThreadsAtOnce) {
  const TempFolder folder;
  const std::string content = pattern(1 << 20);
  put_file(folder / "f", content);
  for (const ReadMode mode : kModes) {
    const SourcePtr source = open_file(folder / "f", mode);
    std::vector<std::jthread> readers;
    for (std::size_t i = 0; i < 4; ++i) {
      readers.emplace_back([&, i] {
        for (std::size_t at = i * 1000; at + 5000 < content.size(); at += 40'000) {
          EXPECT_EQ(read_text(*source, at, 5000), content.substr(at, 5000));
          const Buffer buffer = source->read(at, 5000);
          EXPECT_EQ(text_of(buffer.bytes()), content.substr(at, 5000));
        }
      });
    }
  }
}

}  // namespace
}  // namespace weighbridge
