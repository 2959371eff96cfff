// What the broker lets a worker have: the test plays a worker that was taken over.
#include "sandbox/broker.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temp_folder.hpp"

namespace weighbridge::sandbox {
namespace {

using testing::HasSubstr;
using weighbridge::test::get_file;
using weighbridge::test::put_file;
using weighbridge::test::TempFolder;

class HostileWorker : public testing::Test {
 protected:
  HostileWorker() {
    put_file(dir_ / "in.pt", "input");
    put_file(dir_ / "in.pt_01.npy", "companion");
    put_file(dir_ / ".secret", "secret");
    std::filesystem::create_symlink("/etc/passwd", dir_ / "link");
    std::filesystem::create_directory(dir_ / "folder");
    ::mkfifo((dir_ / "fifo").c_str(), 0600);
    options_.inputs = {dir_ / "in.pt"};
    options_.output = dir_ / "out.safetensors";
    options_.result_bytes = 100;
  }

  /// Sends the request and gives what comes back.
  AnswerMessage ask(const RequestMessage& request) {
    ends_.second.send(serialize(request));
    EXPECT_TRUE(broker_.serve_next());
    received_ = ends_.second.receive(TakeDescriptors::Yes);
    return parse_answer(received_.bytes).value();
  }

  AnswerMessage find(const std::string& name) { return ask({.kind = Request::FindBeside, .text = name}); }
  AnswerMessage create(const std::string& name) { return ask({.kind = Request::Create, .text = name}); }

  void expect_refused(const AnswerMessage& answer, ErrorCode code) {
    ASSERT_EQ(answer.kind, Answer::Failed);
    EXPECT_EQ(parse_error(answer.text)->code(), code) << parse_error(answer.text)->what();
    EXPECT_FALSE(received_.descriptor);
  }

  /// The broker serves no more, and says why.
  void expect_ended(const std::string& why) {
    EXPECT_FALSE(broker_.serve_next());
    expect_reason(why);
  }

  void expect_reason(const std::string& why) {
    try {
      static_cast<void>(broker_.take_result());
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
  }

  TempFolder dir_;
  WorkerOptions options_;
  std::pair<Channel, Channel> ends_ = Channel::open_pair();
  // No such process can be signalled or limited; this test is about what is answered.
  Broker broker_{options_, ends_.first, 0x7FFFFFFF};
  Received received_;
};

TEST_F(HostileWorker, GetsTheInput) {
  EXPECT_EQ(ask({.kind = Request::OpenInput}).kind, Answer::Done);
  char bytes[16] = {};
  EXPECT_EQ(::read(received_.descriptor.get(), bytes, sizeof bytes), 5);
  EXPECT_STREQ(bytes, "input");
  EXPECT_LT(::write(received_.descriptor.get(), "x", 1), 0) << "it must not be open for writing";
}

TEST_F(HostileWorker, GetsNoInputThatIsNotThere) {
  expect_refused(ask({.kind = Request::OpenInput, .number = 1}), ErrorCode::InvalidArgument);
  expect_refused(ask({.kind = Request::OpenInput, .number = UINT32_MAX}), ErrorCode::InvalidArgument);
}

TEST_F(HostileWorker, FindsPlainFilesBesideTheInput) {
  EXPECT_EQ(find("in.pt_01.npy").kind, Answer::Done);
  EXPECT_TRUE(received_.descriptor);
  EXPECT_EQ(find("in.pt_02.npy").kind, Answer::Absent);
}

TEST_F(HostileWorker, CannotLeaveTheFolder) {
  for (const char* name : {"/etc/passwd", "../in.pt", "folder/x", "..", ".", "", "a\\b"}) {
    EXPECT_EQ(find(name).kind, Answer::Failed) << name;
    EXPECT_FALSE(received_.descriptor);
  }
  expect_refused(find(std::string("in.pt\0x", 7)), ErrorCode::MalformedCheckpoint);
  expect_refused(find(std::string(20'000, 'x')), ErrorCode::MalformedCheckpoint);
}

TEST_F(HostileWorker, GetsNeitherHiddenNorOddFiles) {
  expect_refused(find(".secret"), ErrorCode::IoError);
  expect_refused(find("link"), ErrorCode::IoError);
  expect_refused(find("folder"), ErrorCode::IoError);
  expect_refused(find("fifo"), ErrorCode::IoError);
}

TEST_F(HostileWorker, CreatesFilesOfTheOutputOnly) {
  EXPECT_EQ(create("out.safetensors").kind, Answer::Done);
  EXPECT_EQ(create("out-00001-of-00002.safetensors").kind, Answer::Done);
  for (const char* name : {"in.pt", "../out.safetensors", "/etc/out", ".bashrc", "ou", "", "out/x"}) {
    expect_refused(create(name), ErrorCode::InvalidArgument);
  }
  expect_refused(create(std::string("out\0x", 5)), ErrorCode::InvalidArgument);
}

TEST_F(HostileWorker, ReplacesNothingThatMayNotBeReplaced) {
  put_file(dir_ / "out.safetensors", "old");
  expect_refused(create("out.safetensors"), ErrorCode::OutputExists);
  EXPECT_EQ(get_file(dir_ / "out.safetensors"), "old");
}

TEST_F(HostileWorker, WritesNothingWithoutAnOutput) {
  options_.output.clear();
  expect_refused(create("out.safetensors"), ErrorCode::InvalidArgument);
  expect_refused(ask({.kind = Request::Commit}), ErrorCode::InvalidArgument);
}

TEST_F(HostileWorker, IsEndedWhenItTalksNonsense) {
  ends_.second.send("\xff nonsense");
  expect_ended("it sent what is no request");
}

TEST_F(HostileWorker, IsEndedWhenItsResultIsTooLarge) {
  ends_.second.send(serialize(RequestMessage{.kind = Request::Result, .text = std::string(101, 'x')}));
  expect_ended("larger than the 100 bytes");
}

TEST_F(HostileWorker, IsEndedWhenItFailsWithoutReason) {
  ends_.second.send(serialize(RequestMessage{.kind = Request::Failure, .text = "?"}));
  expect_ended("without a reason");
}

TEST_F(HostileWorker, IsEndedWhenItDoesNotTakeItsAnswers) {
  bool served = true;
  for (int i = 0; served && i < 10'000; ++i) {
    ends_.second.send(serialize(RequestMessage{.kind = Request::OpenInput}));
    served = broker_.serve_next();
  }
  ASSERT_FALSE(served);
  expect_reason("it did not take an answer");
}

TEST_F(HostileWorker, IsEndedWhenItAsksWithoutEnd) {
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(find("absent").kind, Answer::Absent);
  ends_.second.send(serialize(RequestMessage{.kind = Request::FindBeside, .text = "absent"}));
  expect_ended("too many files");
}

TEST_F(HostileWorker, CannotHandDescriptorsToTheBroker) {
  const auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  ends_.second.send(serialize(RequestMessage{.kind = Request::FindBeside, .text = "absent"}), STDERR_FILENO);
  const auto before = open_files();
  ASSERT_TRUE(broker_.serve_next());
  EXPECT_EQ(open_files(), before + 1) << "the folder of the input, and nothing that was sent";
}

}  // namespace
}  // namespace weighbridge::sandbox
