#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/onnx/entries.hpp"
#include "formats/onnx/wire.hpp"
#include "support/onnx_builder.hpp"
#include "support/torch_builder.hpp"

namespace weighbridge::onnx {
namespace {

using test::error_of;
using test::Proto;
using test::varint;
using testing::ElementsAre;
using testing::HasSubstr;

/// A source that has no memory to show: it is read in pieces.
class Unmapped final : public ByteSource {
 public:
  explicit Unmapped(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    read_ += out.size();
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
  }
  std::uint64_t bytes_read() const { return read_; }

 private:
  std::string bytes_;
  mutable std::uint64_t read_ = 0;
};

std::vector<Field> fields_of(const std::string& message) {
  const Unmapped source(message);
  Window window(source);
  FieldReader reader(window, {.begin = 0, .end = message.size()});
  std::vector<Field> fields;
  while (auto field = reader.next()) fields.push_back(*field);
  return fields;
}

std::string refusal(const std::string& message) {
  const Error error = error_of([&] { fields_of(message); });
  EXPECT_EQ(error.code(), ErrorCode::MalformedCheckpoint);
  return error.what();
}

TEST(OnnxWire, GivesEachFieldWithItsPlace) {
  const auto fields = fields_of(Proto().number(1, 300).bytes(2, "abc").fixed32(3, 7).fixed64(400, 9));
  ASSERT_EQ(fields.size(), 4U);
  EXPECT_EQ(fields[0].value, 300U);
  EXPECT_EQ(fields[1].begin, 3U);
  EXPECT_EQ(fields[1].content, (Extent{5, 8}));
  EXPECT_EQ(fields[2].value, 7U);
  EXPECT_EQ(fields[3].number, 400U);
  EXPECT_EQ(fields[3].value, 9U);
}

TEST(OnnxWire, TakesNumbersOfTenBytesAndNoLonger) {
  const std::string nine(9, '\xFF');
  EXPECT_EQ(fields_of("\x08" + nine + "\x01").at(0).value, UINT64_MAX);
  EXPECT_THAT(refusal("\x08" + nine + "\x02"), HasSubstr("a number has more than 64 bits (byte 1)"));
  EXPECT_THAT(refusal("\x08" + nine + "\x81\x01"), HasSubstr("more than 64 bits"));
}

TEST(OnnxWire, RefusesWhatReachesBeyondTheMessage) {
  EXPECT_THAT(refusal("\x08\xFF"), HasSubstr("ends beyond the message"));
  EXPECT_THAT(refusal("\x0D\x01\x02\x03"), HasSubstr("ends beyond the message"));
  EXPECT_THAT(refusal("\x12\x04"
                      "abc"),
              HasSubstr("field 2 has 4 bytes, 3 are left"));
  EXPECT_THAT(refusal("\x12" + varint(UINT64_MAX)), HasSubstr("field 2 has 18446744073709551615 bytes"));
}

TEST(OnnxWire, RefusesGroupsAndOtherWireTypes) {
  for (const std::uint64_t wire : {3U, 4U, 6U, 7U}) {
    EXPECT_THAT(refusal(varint(8U | wire) + "\x01"), HasSubstr("which ONNX does not use"));
  }
}

TEST(OnnxWire, RefusesFieldsWithoutANumber) {
  EXPECT_THAT(refusal(std::string("\x02\x00", 2)), HasSubstr("0 is no number of a field"));
  EXPECT_THAT(refusal(varint(std::uint64_t{1} << 32) + "\x01"), HasSubstr("is no number of a field"));
}

TEST(OnnxWire, PassesOverContentWithoutReadingIt) {
  std::string message;
  for (int i = 0; i < 8; ++i) message += std::string(Proto().bytes(9, std::string(1 << 20, 'x')));
  const Unmapped source(message);
  Window window(source);
  FieldReader reader(window, {.begin = 0, .end = message.size()});
  int fields = 0;
  while (reader.next()) ++fields;
  EXPECT_EQ(fields, 8);
  EXPECT_LT(source.bytes_read(), 16 * 1024U);
}

std::vector<std::uint64_t> entries_of(const std::string& message, Entries entries) {
  const Unmapped source(message);
  Window window(source);
  EntryReader reader(window, {.begin = 0, .end = message.size()}, 7, entries);
  std::vector<std::uint64_t> found;
  while (const auto entry = reader.next()) found.push_back(*entry);
  return found;
}

TEST(OnnxEntries, TakesPackedAndUnpackedFieldsInOneOrder) {
  const std::string packed = varint(2) + varint(300);
  const Proto message = Proto().number(7, 1).bytes(1, "between").bytes(7, packed).bytes(7, "").number(7, 4);
  EXPECT_THAT(entries_of(message, Entries::Int64), ElementsAre(1, 2, 300, 4));
}

TEST(OnnxEntries, TakesFixedNumbers) {
  EXPECT_THAT(entries_of(Proto().fixed32(7, 5).bytes(7, std::string("\1\0\0\0\2\0\0\0", 8)), Entries::Float),
              ElementsAre(5, 1, 2));
  EXPECT_THAT(entries_of(Proto().fixed64(7, 5), Entries::Double), ElementsAre(5));
}

TEST(OnnxEntries, RefusesNumbersThatLeaveTheirField) {
  const auto refused = [](const std::string& message, Entries entries) {
    return std::string(error_of([&] { entries_of(message, entries); }).what());
  };
  EXPECT_THAT(refused(Proto().bytes(7, "\x80").number(7, 1), Entries::Int64),
              HasSubstr("ends beyond the message"));
  EXPECT_THAT(refused(Proto().bytes(7, "abc"), Entries::Float), HasSubstr("ends beyond the message"));
  EXPECT_THAT(refused(Proto().fixed32(7, 1), Entries::Int64),
              HasSubstr("has the wire type 5, 0 was expected"));
}

}  // namespace
}  // namespace weighbridge::onnx
