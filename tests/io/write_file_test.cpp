#include <weighbridge/write.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/descriptor.hpp"
#include "io/support.hpp"

namespace weighbridge {
namespace {

using namespace weighbridge::test;

/// Steps of every kind: straight, tiny, strided, transformed; from files, memory and a stream.
PlanBuilder mixed_plan(const std::filesystem::path& folder, ReadMode mode) {
  const std::string content = pattern(1 << 20);
  put_file(folder / "content", content);
  const SourcePtr file = open_file(folder / "content", mode);
  PlanBuilder builder(pattern(1000, 2));
  builder.copy(file, content, 17, 900'000);
  for (std::size_t i = 0; i < 500; ++i) builder.copy(file, content, 5 * i, i);
  builder.copy(in_memory(content), content, 3, 700'001);
  builder.copy(std::make_shared<ReadOnlySource>(content), content, 1, 300'000);
  builder.add(file, strided(0, 1, {{3, 1}, {2, 3}}),
              {content[0], content[3], content[1], content[4], content[2], content[5]});
  builder.add(in_memory("abcdefgh"), range_of(0, 8), "dcbahgfe", Transform::Swap4);
  builder.add(in_memory("\x05\x01"), range_of(0, 2), "\x01\x01", Transform::Booleans);
  builder.copy(file, content, 0, content.size());
  return builder;
}

TEST(WriteFile, WritesEveryKindOfStepInEveryMode) {
  for (const ReadMode mode : {ReadMode::Auto, ReadMode::Mapped, ReadMode::Positional}) {
    for (const unsigned threads : {0U, 1U, 3U, 100U}) {
      const TempFolder folder;
      const PlanBuilder builder = mixed_plan(folder.path(), mode);
      const WriteReport report = write_file(builder.plan(), folder / "out", {.threads = threads});
      EXPECT_TRUE(get_file(folder / "out") == builder.expected());
      EXPECT_EQ(report.bytes_written, builder.expected().size());
      EXPECT_EQ(report.booleans_normalized, 1U);
      EXPECT_TRUE(report.verified);
      EXPECT_EQ(folder.entries(), 2U);
    }
  }
}

TEST(WriteFile, CopiesStraightRangesOfFilesInTheKernel) {
  const TempFolder folder;
  const std::string content = pattern(5 << 20);
  put_file(folder / "content", content);
  PlanBuilder builder("head");
  builder.copy(open_file(folder / "content"), content, 100, 4 << 20);
  const WriteReport report = write_file(builder.plan(), folder / "out");
  EXPECT_EQ(report.bytes_copied_in_kernel, std::uint64_t{4} << 20);
  EXPECT_TRUE(get_file(folder / "out") == builder.expected());
}

TEST(WriteFile, CopiesBetweenFileSystems) {
  const std::filesystem::path memory = "/dev/shm";
  if (::access(memory.c_str(), W_OK) != 0) GTEST_SKIP() << "no second file system";
  const TempFolder folder;
  const TempFolder elsewhere(memory);
  const PlanBuilder builder = mixed_plan(folder.path(), ReadMode::Positional);
  EXPECT_TRUE(write_file(builder.plan(), elsewhere / "out").verified);
  EXPECT_TRUE(get_file(elsewhere / "out") == builder.expected());
}

TEST(WriteFile, WritesOverTheFileThatItReads) {
  const TempFolder folder;
  const std::string content = pattern(1 << 20);
  put_file(folder / "f", content);
  PlanBuilder builder("head");
  builder.copy(open_file(folder / "f"), content, 1000, 1'000'000);
  write_file(builder.plan(), folder / "f", {.overwrite = true});
  EXPECT_TRUE(get_file(folder / "f") == builder.expected());
}

TEST(WriteFile, RefusesAnExistingOutputBeforeAnythingIsRead) {
  const TempFolder folder;
  put_file(folder / "out", "old");
  const auto source = std::make_shared<ReadOnlySource>("content");
  PlanBuilder builder("head");
  builder.copy(source, "content", 0, 7);
  expect_error(ErrorCode::OutputExists, "exists", [&] { write_file(builder.plan(), folder / "out"); });
  EXPECT_EQ(source->reads, 0U);
  EXPECT_EQ(get_file(folder / "out"), "old");
}

TEST(WriteFile, WritesAnEmptyPlan) {
  const TempFolder folder;
  EXPECT_EQ(write_file(FilePlan{}, folder / "out").bytes_written, 0U);
  EXPECT_EQ(get_file(folder / "out"), "");
}

TEST(WriteFile, ReportsRisingProgressUpToTheWhole) {
  const TempFolder folder;
  const PlanBuilder builder = mixed_plan(folder.path(), ReadMode::Auto);
  for (const bool verify : {false, true}) {
    std::uint64_t last = 0;
    std::uint64_t all = 0;
    int calls = 0;
    WriteOptions options{.verify = verify, .overwrite = true, .threads = 4};
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
      EXPECT_GE(done, last);
      last = done;
      all = total;
      ++calls;
    };
    write_file(builder.plan(), folder / "out", options);
    EXPECT_EQ(last, all);
    EXPECT_EQ(all, builder.expected().size() * (verify ? 2 : 1));
    EXPECT_GE(calls, 1);
    EXPECT_LE(calls, 210);
  }
}

TEST(WriteTextFile, WritesRefusesAndReplaces) {
  const TempFolder folder;
  write_text_file(folder / "text", "one");
  expect_error(ErrorCode::OutputExists, "exists", [&] { write_text_file(folder / "text", "two"); });
  EXPECT_EQ(get_file(folder / "text"), "one");
  write_text_file(folder / "text", "three", {.overwrite = true});
  EXPECT_EQ(get_file(folder / "text"), "three");
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(WriteMemory, GivesTheBytesOfTheFile) {
  const TempFolder folder;
  const PlanBuilder builder = mixed_plan(folder.path(), ReadMode::Auto);
  for (const unsigned threads : {1U, 3U}) {
    std::string out(builder.expected().size(), '\0');
    const WriteReport report =
        write_memory(builder.plan(), std::as_writable_bytes(std::span(out)), {.threads = threads});
    EXPECT_EQ(report.bytes_written, out.size());
    EXPECT_TRUE(out == builder.expected());
  }
}

TEST(WriteMemory, RefusesRoomOfAnotherSize) {
  std::string out(3, '\0');
  expect_error(ErrorCode::InvalidArgument, "3 bytes of room for 4 bytes",
               [&] { write_memory(PlanBuilder("head").plan(), std::as_writable_bytes(std::span(out))); });
}

/// Whether files in `folder` can be written to past the page cache.
bool takes_direct_writes(const std::filesystem::path& folder) {
  return static_cast<bool>(
      io::Descriptor(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600)));
}

TEST(WriteMethods, AllGiveTheSameFile) {
  const TempFolder folder;
  const PlanBuilder builder = mixed_plan(folder.path(), ReadMode::Auto);
  for (const WriteMethod method : {WriteMethod::Cached, WriteMethod::Streamed, WriteMethod::Uncached,
                                   WriteMethod::Direct, WriteMethod::Mapped}) {
    for (const unsigned threads : {1U, 4U}) {
      const WriteReport report = write_file(builder.plan(), folder / "out",
                                            {.overwrite = true, .threads = threads, .method = method});
      EXPECT_TRUE(get_file(folder / "out") == builder.expected()) << write_method_name(method);
      // What this system does not have gives way to the next best, and the report says so.
      const bool replaced = report.method != method;
      EXPECT_TRUE(!replaced || method == WriteMethod::Uncached || method == WriteMethod::Mapped ||
                  !takes_direct_writes(folder.path()))
          << write_method_name(method);
      EXPECT_EQ(report.why == "it was asked for", !replaced) << report.why;
    }
  }
}

/// A file of 9 MiB, four times over, in pieces of any length.
PlanBuilder copies_of_a_file(const std::filesystem::path& folder) {
  const std::string content = pattern((9 << 20) + 77);
  put_file(folder / "content", content);
  const SourcePtr file = open_file(folder / "content");
  PlanBuilder builder(pattern(1000, 2));
  for (const std::size_t skipped : {0U, 1U, 4096U, 70'001U}) {
    builder.copy(file, content, skipped, content.size() - skipped);
    builder.copy(file, content, 5, 100'000 + skipped);
  }
  return builder;
}

TEST(WriteMethods, ReadFilesIntoAMapping) {
  const TempFolder folder;
  const PlanBuilder builder = copies_of_a_file(folder.path());
  for (const unsigned threads : {1U, 2U, 8U}) {
    const WriteReport report =
        write_file(builder.plan(), folder / "out",
                   {.overwrite = true, .threads = threads, .method = WriteMethod::Mapped});
    EXPECT_TRUE(get_file(folder / "out") == builder.expected()) << threads;
    EXPECT_TRUE(report.verified);
    // What is too short for that.
    if (report.method == WriteMethod::Mapped) {
      EXPECT_LT(report.bytes_copied_in_kernel, std::uint64_t{1} << 20);
    }
  }
}

TEST(WriteMethods, AreChosenByWhatMustBeOnTheDisk) {
  const TempFolder folder;
  if (!takes_direct_writes(folder.path())) GTEST_SKIP() << "no direct writes here";
  const std::string content = pattern(9 << 20);
  put_file(folder / "content", content);
  PlanBuilder of_memory("head");
  of_memory.copy(in_memory(content), content, 1, content.size() - 1);
  PlanBuilder of_a_file("head");
  of_a_file.copy(open_file(folder / "content"), content, 1, content.size() - 1);
  const auto method_of = [&](const PlanBuilder& builder, Durability durability) {
    const WriteReport report =
        write_file(builder.plan(), folder / "out", {.durability = durability, .overwrite = true});
    EXPECT_TRUE(get_file(folder / "out") == builder.expected());
    return report.method;
  };
  EXPECT_EQ(method_of(of_memory, Durability::None), WriteMethod::Cached);
  EXPECT_EQ(method_of(of_memory, Durability::Data), WriteMethod::Direct);
  EXPECT_EQ(method_of(of_memory, Durability::Full), WriteMethod::Direct);
  EXPECT_EQ(method_of(of_a_file, Durability::Full), WriteMethod::Streamed);
}

TEST(WriteMethods, AreExplained) {
  const TempFolder folder;
  const WriteReport report =
      write_file(PlanBuilder("head").plan(), folder / "out", {.durability = Durability::Full, .threads = 1});
  EXPECT_EQ(
      explain(report),
      "wrote 4 bytes with 1 thread, streamed because it must be on the disk, which works while the rest is "
      "written; 0 bytes were copied inside the kernel; every byte was read back and compared with its "
      "source");
}

}  // namespace
}  // namespace weighbridge
