// Inputs and outputs that are not what they should be: each is refused, and none stalls or kills the caller.
#include <csignal>
#include <filesystem>

#include <weighbridge/convert.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/run.hpp"
#include "support/temp_folder.hpp"

namespace weighbridge::sandbox {
namespace {

using testing::HasSubstr;
using weighbridge::test::get_file;
using weighbridge::test::put_file;
using weighbridge::test::TempFolder;

/// Opens the input and reads its last byte.
int read_last_byte(WorkerFiles& files) {
  const SourcePtr source = files.open_input();
  std::byte last{};
  source->read_at(source->size() - 1, {&last, 1});
  return std::to_integer<int>(last);
}

Error refusal(const std::filesystem::path& input) {
  WorkerOptions options;
  options.inputs = {input};
  try {
    run_worker(options, read_last_byte);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::IoError, "nothing was thrown"};
}

TEST(OddInput, APipeIsRefusedWithoutWaiting) {
  const TempFolder dir;
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(refusal(dir / "fifo").what(), HasSubstr("is a pipe, a regular file is needed"));
}

TEST(OddInput, ADeviceIsRefused) {
  EXPECT_THAT(refusal("/dev/zero").what(), HasSubstr("is a character device"));
}

TEST(OddInput, AFolderIsRefused) {
  const TempFolder dir;
  EXPECT_EQ(refusal(dir.path()).system_error(), EISDIR);
}

TEST(OddInput, AFileOfTheKernelHasNoBytes) {
  EXPECT_EQ(refusal("/proc/self/status").code(), ErrorCode::IoError);
}

/// A worker that may still open files changes the input while it is read; `mode` is how it is read.
WorkerResult run_with_change(const std::filesystem::path& input, off_t new_size, ReadMode mode) {
  WorkerOptions options;
  options.inputs = {input};
  options.mode = mode;
  return run_isolated(options, {}, [&](WorkerFiles& files, const LayerReport&) {
    const SourcePtr source = files.open_input();
    const Buffer mapped = source->read(0, 1);
    if (::truncate(input.c_str(), new_size) != 0) return 1;
    const Buffer rest = source->read(0, source->size());
    return std::to_integer<int>(rest.bytes().back());
  });
}

class ChangingInput : public testing::Test {
 protected:
  ChangingInput() { put_file(input(), std::string(1 << 20, 'x')); }
  [[nodiscard]] std::filesystem::path input() const { return dir_ / "in"; }
  TempFolder dir_;
};

TEST_F(ChangingInput, ThatShrinksUnderAMappingIsSaidToHaveChanged) {
  const WorkerResult result = run_with_change(input(), 4096, ReadMode::Mapped);
  if (result.signal != SIGBUS) GTEST_SKIP() << "SIGBUS has another handler here, a sanitizer's";
  EXPECT_THAT(worker_error(result)->what(), HasSubstr("the input changed while it was read"));
}

TEST_F(ChangingInput, ThatShrinksWhileItIsReadIsSaidToHaveChanged) {
  try {
    run_with_change(input(), 4096, ReadMode::Positional);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("it changed while it was read"));
  }
}

TEST_F(ChangingInput, ThatGrowsWhileItIsReadIsSaidToHaveChanged) {
  try {
    run_with_change(input(), 2 << 20, ReadMode::Positional);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("it changed while it was read"));
  }
}

int write_x(WorkerFiles& files) {
  const bool written = ::write(files.output_folder().create("out"), "x", 1) == 1;
  files.output_folder().commit();
  return written ? 0 : 1;
}

TEST(OddOutput, ALinkIsFollowedAndStays) {
  const TempFolder dir;
  put_file(dir / "target", "old");
  std::filesystem::create_symlink("target", dir / "out");
  WorkerOptions options;
  options.output = dir / "out";
  options.write.overwrite = true;
  EXPECT_EQ(run_worker(options, write_x).exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "out"));
  EXPECT_EQ(get_file(dir / "target"), "x");
}

TEST(OddOutput, ALinkIsRefusedWithoutOverwrite) {
  const TempFolder dir;
  put_file(dir / "target", "old");
  std::filesystem::create_symlink("target", dir / "out");
  WorkerOptions options;
  options.output = dir / "out";
  EXPECT_THROW(run_worker(options, write_x), Error);
  EXPECT_EQ(get_file(dir / "target"), "old");
}

TEST(OddOutput, ThatIsTheInputIsReplacedAfterAllOfItWasRead) {
  const TempFolder dir;
  put_file(dir / "out", "the input");
  WorkerOptions options;
  options.inputs = {dir / "out"};
  options.output = dir / "out";
  options.write.overwrite = true;
  const WorkerResult result = run_worker(options, [](WorkerFiles& files) {
    const SourcePtr source = files.open_input();
    write_x(files);
    std::string content(source->size(), '\0');
    source->read_at(0, std::as_writable_bytes(std::span(content)));
    return content == "the input" ? 0 : 1;
  });
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(get_file(dir / "out"), "x");
}

TEST(OddOutput, ADeviceIsRefused) {
  WorkerOptions options;
  options.output = "/dev/null";
  options.write.overwrite = true;
  EXPECT_THROW(run_worker(options, [](WorkerFiles& files) { return files.output_folder().create("null"); }),
               Error);
}

}  // namespace
}  // namespace weighbridge::sandbox
