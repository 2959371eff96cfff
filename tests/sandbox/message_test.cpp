// Messages between broker and worker, whole and broken.
#include "sandbox/message.hpp"

#include <random>

#include <gtest/gtest.h>

namespace weighbridge::sandbox {
namespace {

TEST(Message, ARequestComesBackAsItWas) {
  const auto parsed = parse_request(serialize(
      RequestMessage{.kind = Request::FindBeside, .follow_links = true, .number = 7, .text = "a.npy"}));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->kind, Request::FindBeside);
  EXPECT_TRUE(parsed->follow_links);
  EXPECT_EQ(parsed->number, 7U);
  EXPECT_EQ(parsed->text, "a.npy");
}

TEST(Message, AnErrorComesBackAsItWas) {
  const Error error(ErrorCode::TensorOutOfBounds, "message", "subject", 12, 5);
  const auto parsed = parse_error(serialize_error(error));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->code(), error.code());
  EXPECT_STREQ(parsed->what(), "message");
  EXPECT_EQ(parsed->subject(), "subject");
  EXPECT_EQ(parsed->offset(), 12U);
  EXPECT_EQ(parsed->system_error(), 5);
}

TEST(Message, AnErrorWithoutAnOffsetHasNone) {
  EXPECT_EQ(parse_error(serialize_error(Error(ErrorCode::NoTensors, "x")))->offset(), std::nullopt);
}

TEST(Message, AVeryLongErrorStillFits) {
  const std::string text(1 << 20, 'x');
  EXPECT_LE(serialize_error(Error(ErrorCode::NoTensors, text, text)).size(), kLongestText);
}

TEST(Message, BytesThatAreNoRequestAreNone) {
  EXPECT_FALSE(parse_request("").has_value());
  EXPECT_FALSE(parse_request(std::string(5, '\0')).has_value());
  EXPECT_FALSE(parse_request(std::string("\x07\0\0\0\0\0", 6)).has_value()) << "an unknown kind";
  EXPECT_FALSE(parse_request(std::string("\x00\x02\0\0\0\0", 6)).has_value()) << "no truth value";
}

TEST(Message, BytesThatAreNoErrorAreNone) {
  const std::string whole = serialize_error(Error(ErrorCode::NoTensors, "message"));
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    EXPECT_FALSE(parse_error(whole.substr(0, size)).has_value()) << size;
  }
  std::string unknown = whole;
  unknown[16] = '\xff';  // the low byte of the code
  EXPECT_FALSE(parse_error(unknown).has_value());
}

TEST(Message, AnyBytesAreReadWithoutHarm) {
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same bytes each time
  std::uniform_int_distribution<int> byte(0, 255);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(static_cast<std::size_t>(round % 64), '\0');
    for (char& c : bytes) c = static_cast<char>(byte(random));
    static_cast<void>(parse_request(bytes));
    static_cast<void>(parse_answer(bytes));
    static_cast<void>(parse_error(bytes));
  }
}

}  // namespace
}  // namespace weighbridge::sandbox
