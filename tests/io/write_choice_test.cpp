#include "io/write_choice.hpp"

#include <gtest/gtest.h>

namespace weighbridge::io {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

WriteFacts durable(std::uint64_t bytes) { return {.durable = true, .local = true, .bytes = bytes}; }

TEST(WriteChoice, IsWhatWasAskedFor) {
  for (const WriteMethod method : {WriteMethod::Cached, WriteMethod::Streamed, WriteMethod::Direct}) {
    for (const WriteFacts& facts : {WriteFacts{}, durable(1), durable(1000 * kMiB)}) {
      EXPECT_EQ(choose_write(method, facts).method, method);
      EXPECT_EQ(choose_write(method, facts).why, "it was asked for");
    }
  }
}

TEST(WriteChoice, LeavesToThePageCacheWhatNeedNotBeOnTheDisk) {
  const WriteFacts facts{.durable = false, .local = true, .bytes = 1000 * kMiB};
  EXPECT_EQ(choose_write(WriteMethod::Auto, facts).method, WriteMethod::Cached);
}

WriteFacts quick(std::uint64_t bytes) {
  return {.durable = false, .local = true, .mappable = true, .threads = 2, .bytes = bytes};
}

TEST(WriteChoice, LetsSeveralThreadsFillAMappingWhereThatPays) {
  EXPECT_EQ(choose_write(WriteMethod::Auto, quick(256 * kMiB)).method, WriteMethod::Mapped);
  EXPECT_EQ(choose_write(WriteMethod::Auto, quick(256 * kMiB - 1)).method, WriteMethod::Cached);
  WriteFacts facts = quick(1000 * kMiB);
  facts.threads = 1;
  EXPECT_EQ(choose_write(WriteMethod::Auto, facts).method, WriteMethod::Cached);
  facts = quick(1000 * kMiB);
  facts.mappable = false;
  EXPECT_EQ(choose_write(WriteMethod::Auto, facts).method, WriteMethod::Cached);
}

WriteFacts from_files() {
  WriteFacts facts = quick(1000 * kMiB);
  facts.from_files = facts.from_local_files = 900 * kMiB + 1;
  return facts;
}

TEST(WriteChoice, LetsSeveralThreadsReadFilesIntoAMapping) {
  const WriteChoice choice = choose_write(WriteMethod::Auto, from_files());
  EXPECT_EQ(choice.method, WriteMethod::Mapped);
  EXPECT_FALSE(choice.one_thread);
  EXPECT_EQ(choice.why.find("kernel"), std::string::npos) << choice.why;
}

TEST(WriteChoice, CopiesInsideTheKernelWhereThatMayTakeNoTime) {
  WriteFacts facts = from_files();
  facts.may_share = true;
  const WriteChoice choice = choose_write(WriteMethod::Auto, facts);
  EXPECT_EQ(choice.method, WriteMethod::Cached);
  EXPECT_TRUE(choice.one_thread);
  EXPECT_NE(choice.why.find("share blocks"), std::string::npos) << choice.why;
  facts.from_files = facts.from_local_files = 500 * kMiB;
  EXPECT_EQ(choose_write(WriteMethod::Auto, facts).method, WriteMethod::Mapped) << "no more than half";
}

TEST(WriteChoice, TakesTheDirectWayForMuchThatMustBeOnTheDisk) {
  EXPECT_EQ(choose_write(WriteMethod::Auto, durable(8 * kMiB)).method, WriteMethod::Direct);
  EXPECT_EQ(choose_write(WriteMethod::Auto, durable(8 * kMiB - 1)).method, WriteMethod::Streamed);
}

TEST(WriteChoice, StreamsToFileSystemsOfOtherMachines) {
  WriteFacts facts = durable(1000 * kMiB);
  facts.local = false;
  const WriteChoice choice = choose_write(WriteMethod::Auto, facts);
  EXPECT_EQ(choice.method, WriteMethod::Streamed);
  EXPECT_NE(choice.why.find("disks of this machine"), std::string::npos) << choice.why;
}

TEST(WriteChoice, StreamsWhatTheKernelCopies) {
  WriteFacts facts = durable(1000 * kMiB);
  facts.from_files = 501 * kMiB;
  const WriteChoice choice = choose_write(WriteMethod::Auto, facts);
  EXPECT_EQ(choice.method, WriteMethod::Streamed);
  EXPECT_NE(choice.why.find("inside the kernel"), std::string::npos) << choice.why;
  facts.from_files = 499 * kMiB;
  EXPECT_EQ(choose_write(WriteMethod::Auto, facts).method, WriteMethod::Direct);
}

TEST(WriteChoice, LeavesCopiesInsideTheKernelToOneThread) {
  WriteFacts unmapped = from_files();
  unmapped.mappable = false;
  EXPECT_TRUE(choose_write(WriteMethod::Auto, unmapped).one_thread);
  EXPECT_TRUE(choose_write(WriteMethod::Cached, from_files()).one_thread);
  WriteFacts facts = from_files();
  facts.durable = true;
  EXPECT_TRUE(choose_write(WriteMethod::Auto, facts).one_thread);
}

TEST(WriteChoice, TakesMoreThreadsForWhatTheyDoTogether) {
  EXPECT_FALSE(choose_write(WriteMethod::Auto, quick(1000 * kMiB)).one_thread);
  WriteFacts facts = from_files();
  facts.from_local_files = 900 * kMiB;  // and a tenth to be made, or to come from elsewhere
  EXPECT_FALSE(choose_write(WriteMethod::Auto, facts).one_thread);
  facts = from_files();
  facts.local = false;
  EXPECT_FALSE(choose_write(WriteMethod::Auto, facts).one_thread);
  facts = from_files();
  facts.threads_asked = true;
  EXPECT_FALSE(choose_write(WriteMethod::Auto, facts).one_thread);
  EXPECT_FALSE(choose_write(WriteMethod::Mapped, from_files()).one_thread);
}

}  // namespace
}  // namespace weighbridge::io
