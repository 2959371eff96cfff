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
  facts = quick(1000 * kMiB);
  facts.from_files = 501 * kMiB;
  EXPECT_EQ(choose_write(WriteMethod::Auto, facts).method, WriteMethod::Cached);
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

WriteFacts copied_in_kernel() {
  WriteFacts facts = quick(1000 * kMiB);
  facts.from_files = facts.from_local_files = 900 * kMiB + 1;
  return facts;
}

TEST(WriteChoice, LeavesCopiesInsideTheKernelToOneThread) {
  EXPECT_TRUE(choose_write(WriteMethod::Auto, copied_in_kernel()).one_thread);
  EXPECT_TRUE(choose_write(WriteMethod::Cached, copied_in_kernel()).one_thread);
  WriteFacts facts = copied_in_kernel();
  facts.durable = true;
  EXPECT_TRUE(choose_write(WriteMethod::Auto, facts).one_thread);
}

TEST(WriteChoice, TakesMoreThreadsForWhatTheyDoTogether) {
  EXPECT_FALSE(choose_write(WriteMethod::Auto, quick(1000 * kMiB)).one_thread);
  WriteFacts facts = copied_in_kernel();
  facts.from_local_files = 900 * kMiB;  // and a tenth to be made, or to come from elsewhere
  EXPECT_FALSE(choose_write(WriteMethod::Auto, facts).one_thread);
  facts = copied_in_kernel();
  facts.local = false;
  EXPECT_FALSE(choose_write(WriteMethod::Auto, facts).one_thread);
  facts = copied_in_kernel();
  facts.threads_asked = true;
  EXPECT_FALSE(choose_write(WriteMethod::Auto, facts).one_thread);
  EXPECT_FALSE(choose_write(WriteMethod::Mapped, copied_in_kernel()).one_thread);
}

}  // namespace
}  // namespace weighbridge::io
