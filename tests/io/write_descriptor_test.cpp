#include <thread>

#include <weighbridge/write.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/descriptor.hpp"
#include "io/support.hpp"

namespace weighbridge {
namespace {

using namespace weighbridge::test;

constexpr int kCreate = O_CREAT | O_CLOEXEC;

PlanBuilder small_plan(const std::filesystem::path& folder) {
  const std::string content = pattern(2 << 20);
  put_file(folder / "content", content);
  PlanBuilder builder("head");
  const SourcePtr file = open_file(folder / "content");
  builder.copy(file, content, 10, 1'500'000);
  for (std::size_t i = 0; i < 100; ++i) builder.copy(file, content, i, 3 * i);
  builder.add(in_memory("abcd"), range_of(0, 4), "dcba", Transform::Swap4);
  builder.copy(in_memory(content), content, 7, 900'000);
  return builder;
}

/// What arrives at the other end of a pipe while `plan` is written into it.
std::string through_pipe(const FilePlan& plan, int flags, WriteReport& report) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | flags), 0);
  const io::Descriptor from(ends[0]);
  ::fcntl(from.get(), F_SETFL, 0);  // only the writing end does not wait
  std::string received;
  std::jthread reader([&] {
    std::string part(100'000, '\0');
    for (ssize_t got = 0; (got = ::read(from.get(), part.data(), part.size())) > 0;) {
      received.append(part, 0, static_cast<std::size_t>(got));
    }
  });
  {
    const io::Descriptor to(ends[1]);
    report = write_descriptor(plan, to.get());
  }
  reader.join();
  return received;
}

TEST(WriteDescriptor, PutsIntoAPipeWhatItWouldPutIntoAFile) {
  const TempFolder folder;
  const PlanBuilder builder = small_plan(folder.path());
  for (const int flags : {0, O_NONBLOCK}) {
    WriteReport report;
    EXPECT_TRUE(through_pipe(builder.plan(), flags, report) == builder.expected());
    EXPECT_EQ(report.bytes_written, builder.expected().size());
    EXPECT_FALSE(report.verified);
  }
}

TEST(WriteDescriptor, WritesARegularFileInPlaceAndCutsIt) {
  const TempFolder folder;
  const PlanBuilder builder = small_plan(folder.path());
  put_file(folder / "out", pattern(9 << 20));
  const io::Descriptor out(::open((folder / "out").c_str(), O_RDWR | O_CLOEXEC));
  const WriteReport report = write_descriptor(builder.plan(), out.get(), {.durability = Durability::Full});
  EXPECT_TRUE(report.verified);
  EXPECT_TRUE(get_file(folder / "out") == builder.expected());
  ASSERT_EQ(::write(out.get(), "more", 4), 4);
  EXPECT_TRUE(get_file(folder / "out") == builder.expected() + "more");
}

TEST(WriteDescriptor, DoesNotVerifyWhatItCannotRead) {
  const TempFolder folder;
  const PlanBuilder builder = small_plan(folder.path());
  const io::Descriptor out(::open((folder / "out").c_str(), O_WRONLY | kCreate, 0600));
  EXPECT_FALSE(write_descriptor(builder.plan(), out.get()).verified);
  EXPECT_TRUE(get_file(folder / "out") == builder.expected());
}

TEST(WriteDescriptor, AppendsWhereTheDescriptorAppends) {
  const TempFolder folder;
  const PlanBuilder builder = small_plan(folder.path());
  put_file(folder / "out", "before");
  const io::Descriptor out(::open((folder / "out").c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  EXPECT_FALSE(write_descriptor(builder.plan(), out.get(), {.threads = 4}).verified);
  EXPECT_TRUE(get_file(folder / "out") == "before" + builder.expected());
}

TEST(WriteDescriptor, RefusesToWriteOverItsOwnSource) {
  const TempFolder folder;
  const PlanBuilder builder = small_plan(folder.path());
  const std::string before = get_file(folder / "content");
  const io::Descriptor out(::open((folder / "content").c_str(), O_RDWR | O_CLOEXEC));
  expect_error(ErrorCode::InvalidArgument, "is the file that is read",
               [&] { write_descriptor(builder.plan(), out.get()); });
  EXPECT_TRUE(get_file(folder / "content") == before);
}

TEST(WriteDescriptor, KeepsTheSystemsReason) {
  const PlanBuilder builder("head");
  EXPECT_EQ(error_of([&] { write_descriptor(builder.plan(), -1); })->system_error(), EBADF);
  const io::Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full);
  EXPECT_EQ(error_of([&] { write_descriptor(builder.plan(), full.get()); })->system_error(), ENOSPC);
}

}  // namespace
}  // namespace weighbridge
