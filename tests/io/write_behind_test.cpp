// Comparing a file while it is still written.
#include <atomic>
#include <filesystem>
#include <thread>

#include <weighbridge/write.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "io/descriptor.hpp"
#include "io/execute.hpp"
#include "io/frontier.hpp"
#include "io/support.hpp"

namespace weighbridge::io {
namespace {

using namespace weighbridge::test;

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(Frontier, WaitsUntilEnoughIsWritten) {
  Frontier frontier;
  frontier.advance(10);
  EXPECT_TRUE(frontier.wait_for(10));
  const std::jthread writer([&] { frontier.advance(20); });
  EXPECT_TRUE(frontier.wait_for(11));
}

TEST(Frontier, TellsWhenThereWillBeNoMore) {
  Frontier frontier;
  frontier.advance(10);
  const std::jthread writer([&] { frontier.close(); });
  EXPECT_FALSE(frontier.wait_for(11));
  EXPECT_TRUE(frontier.wait_for(10));
}

/// What comes of comparing `written` with `plan` where so many bytes are written.
void compare(const FilePlan& plan, const std::string& written, std::uint64_t reached) {
  const WriteOptions options;
  ProgressMeter meter(options, plan.total_bytes);
  Frontier frontier;
  frontier.advance(reached);
  frontier.close();
  compare_behind(plan, *in_memory(written), meter, frontier);
}

TEST(CompareBehind, FindsTheByteThatDiffers) {
  const std::string content = pattern(9 * kMiB);
  PlanBuilder builder("head");
  builder.copy(in_memory(content), content, 0, content.size());
  std::string written = builder.expected();
  EXPECT_NO_THROW(compare(builder.plan(), written, written.size()));
  written[8 * kMiB] ^= 1;
  const auto error = error_of([&] { compare(builder.plan(), written, written.size()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::VerificationFailed);
  EXPECT_EQ(error->offset(), 8 * kMiB);
}

TEST(CompareBehind, LooksAtNothingThatIsNotWritten) {
  const std::string content = pattern(9 * kMiB);
  PlanBuilder builder("head");
  builder.copy(in_memory(content), content, 0, content.size());
  std::string written = builder.expected();
  written[8 * kMiB] ^= 1;
  EXPECT_NO_THROW(compare(builder.plan(), written, 8 * kMiB));
}

/// A file of 12 MiB whose bytes are wanted three times: enough for a second thread.
class WriteBehind : public testing::Test {
 protected:
  void SetUp() override {
    if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "needs two processors";
    put_file(source_path(), content_);
    const SourcePtr file = open_file(source_path());
    for (int i = 0; i < 3; ++i) builder_.copy(file, content_, 0, content_.size());
  }

  [[nodiscard]] std::filesystem::path source_path() const { return sources_ / "content"; }
  [[nodiscard]] std::filesystem::path out() const { return folder_ / "out"; }

  static void expect_followed(const WriteReport& report) {
    EXPECT_TRUE(report.verified);
    EXPECT_EQ(report.threads, 1U);
    EXPECT_NE(report.why.find("compared meanwhile"), std::string::npos) << report.why;
  }

  TempFolder sources_;
  TempFolder folder_;
  std::string content_ = pattern(12 * kMiB);
  PlanBuilder builder_{"head"};
};

TEST_F(WriteBehind, WritesAndVerifies) {
  for (const Durability durability : {Durability::None, Durability::Full}) {
    expect_followed(write_file(builder_.plan(), out(), {.durability = durability, .overwrite = true}));
    EXPECT_TRUE(get_file(out()) == builder_.expected());
  }
}

TEST_F(WriteBehind, CutsALongerFileToSize) {
  put_file(out(), std::string(40 * kMiB, 'x'));
  const Descriptor file(::open(out().c_str(), O_RDWR | O_CLOEXEC));
  expect_followed(write_descriptor(builder_.plan(), file.get(), {}));
  EXPECT_TRUE(get_file(out()) == builder_.expected());
}

TEST_F(WriteBehind, ASourceThatShrinksIsAnError) {
  const FilePlan plan = builder_.plan();
  std::filesystem::resize_file(source_path(), 5 * kMiB);
  const auto error = error_of([&] { write_file(plan, out()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::IoError);
  EXPECT_FALSE(std::filesystem::exists(out()));
}

TEST_F(WriteBehind, CanBeCancelled) {
  std::atomic<bool> cancel = false;
  const WriteOptions options{.progress = [&](std::uint64_t, std::uint64_t) { cancel = true; },
                             .cancel = &cancel};
  const auto error = error_of([&] { write_file(builder_.plan(), out(), options); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Cancelled);
  EXPECT_FALSE(std::filesystem::exists(out()));
}

}  // namespace
}  // namespace weighbridge::io
