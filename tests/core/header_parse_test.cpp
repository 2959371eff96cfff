#include <memory_resource>
#include <string>
#include <string_view>

#include <weighbridge/header.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/header_dsl.hpp"

namespace weighbridge {
namespace {

using test::bytes_of;
using test::entry;
using test::error_of;
using test::file_of;
using test::header_of;
using test::parse;
using test::parse_error;
using test::verdict;
using testing::ElementsAre;
using testing::HasSubstr;

std::string error_text(std::string_view header, std::uint64_t data_bytes = 0, const Limits& limits = {}) {
  const auto error = parse_error(header, data_bytes, limits);
  return error ? error->what() : "no error";
}

ErrorCode file_error(std::string_view bytes, std::uint64_t file_bytes) {
  const auto error = error_of([&] { parse_header(bytes_of(bytes), file_bytes); });
  return error ? error->code() : ErrorCode::Cancelled;
}

// Counts what it has given out.
class CountedMemory final : public std::pmr::memory_resource {
 public:
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    bytes_ += bytes;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
    bytes_ -= bytes;
    std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::size_t bytes_ = 0;
};

TEST(ReadHeader, KeepsItsRecordsInTheMemoryThatItIsGiven) {
  const std::string text = header_of(
      {R"("__metadata__":{"a":"b"})", entry("b", "F32", {2}, 4, 12), entry("a", "U8", {2, 2}, 0, 4)});
  CountedMemory memory;
  {
    const Header header = read_header(*test::source_of(text, 12), {}, memory);
    EXPECT_GE(memory.bytes(), 2 * sizeof(TensorInfo::begin) * 2 + std::string_view("ab").size());
    EXPECT_EQ(header.get("b").begin, 4U);
  }
  EXPECT_EQ(memory.bytes(), 0U);
}

TEST(ParseHeader, GivesNamesAloneAndInOrder) {
  const Header header = parse(header_of({entry("b", "U8", {1}, 0, 1), entry("\xC3\xA9", "U8", {1}, 1, 2),
                                         entry("a.10", "U8", {1}, 2, 3), entry("a.2", "U8", {1}, 3, 4)}),
                              4);
  EXPECT_EQ(header.name(2), "a.10");
  EXPECT_THAT(header.sorted_names(), ElementsAre("a.10", "a.2", "b", "\xC3\xA9"));
  const Header none;
  EXPECT_TRUE(none.sorted_names().empty());
}

TEST(ParseHeader, GivesTensorsInOrderOfTheirOffsets) {
  const Header header = parse(header_of({entry("b", "F32", {2}, 4, 12), entry("a", "U8", {2, 2}, 0, 4)}), 12);
  ASSERT_EQ(header.size(), 2U);
  EXPECT_EQ(header[0].name, "a");
  EXPECT_EQ(header[0].dtype, DType::U8);
  EXPECT_THAT(header[0].shape, ElementsAre(2, 2));
  EXPECT_EQ(header[1].name, "b");
  EXPECT_EQ(header[1].begin, 4U);
  EXPECT_EQ(header[1].end, 12U);
  EXPECT_EQ(header[1].header_offset, 9U);  // the quote of the first name, behind 8 bytes and '{'
  EXPECT_EQ(header.data_bytes(), 12U);
}

TEST(ParseHeader, KeepsTensorsOfNoBytesInTheOrderOfTheText) {
  const Header header = parse(
      header_of({entry("z", "F32", {0}, 0, 0), entry("m", "F32", {0}, 0, 0), entry("a", "F32", {0}, 0, 0)}));
  EXPECT_EQ(header[0].name, "z");
  EXPECT_EQ(header[2].name, "a");
}

TEST(ParseHeader, FindsEveryNameAndNoOther) {
  std::vector<std::string> members;
  for (std::uint64_t i = 0; i < 1000; ++i)
    members.push_back(entry(fmt::format("t{}", i), "U8", {1}, i, i + 1));
  const Header header = parse(header_of(members), 1000);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto found = header.find(fmt::format("t{}", i));
    ASSERT_TRUE(found);
    EXPECT_EQ(header[*found].begin, i);
  }
  EXPECT_FALSE(header.find("t1000"));
  EXPECT_FALSE(header.find(""));
  EXPECT_FALSE(Header().find(""));
}

TEST(ParseHeader, GetNamesTheTensorThatIsMissing) {
  const Header header = parse(header_of({entry("a", "U8", {1}, 0, 1)}), 1);
  EXPECT_EQ(header.get("a").end, 1U);
  const auto error = error_of([&] { static_cast<void>(header.get("b\n")); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::TensorNotFound);
  EXPECT_EQ(error->subject(), "b\n");
  EXPECT_THAT(error->what(), HasSubstr("'b\\x0a'"));
}

TEST(ParseHeader, DecodesEscapesInNamesKeysAndValues) {
  const Header header = parse(
      R"({"__metadata__":{"k\u00e9y":"\ud83d\ude00\"\\\/\b\f\n\r\t"},"\u0061.b":{"\u0064type":"\u00558","shape":[1],"data_offsets":[0,1]}})",
      1);
  EXPECT_EQ(header[0].name, "a.b");
  EXPECT_EQ(header[0].dtype, DType::U8);
  EXPECT_THAT(header.metadata(), ElementsAre(testing::Pair("k\xC3\xA9y", "\xF0\x9F\x98\x80\"\\/\b\f\n\r\t")));
}

TEST(ParseHeader, SortsMetadataByKey) {
  const Header header = parse(R"({"__metadata__":{"b":"2","":"0","a":"1","B":"3"}})");
  ASSERT_EQ(header.metadata_size(), 4U);
  std::string keys;
  for (std::size_t i = 0; i < header.metadata_size(); ++i) {
    keys.append(header.metadata_at(i).first).append(header.metadata_at(i).second).append(",");
  }
  EXPECT_EQ(keys, "0,B3,a1,b2,");
}

TEST(ParseHeader, TellsAbsentMetadataFromEmpty) {
  EXPECT_FALSE(parse("{}").has_metadata());
  EXPECT_FALSE(parse(R"({"__metadata__":null})").has_metadata());
  EXPECT_TRUE(parse(R"({"__metadata__":{}})").has_metadata());
}

TEST(ParseHeader, CopiesShareWhatViewsPointInto) {
  Header copy;
  EXPECT_EQ(copy.size(), 0U);
  {
    const Header original = parse(header_of({entry("name", "U8", {1}, 0, 1)}), 1);
    copy = original;
  }
  EXPECT_EQ(copy[0].name, "name");
}

TEST(ParseHeader, ReadsFromASource) {
  const auto source = test::source_of(header_of({entry("a", "U8", {3}, 0, 3)}), 3);
  const Header header = read_header(*source);
  EXPECT_EQ(header.get("a").end, 3U);
}

TEST(ParseHeader, NeedsNoMoreThanTheStartOfTheFile) {
  const std::string start = file_of(header_of({entry("a", "U8", {1000}, 0, 1000)}));
  EXPECT_EQ(parse_header(bytes_of(start), start.size() + 1000).size(), 1U);
}

TEST(ParseHeader, RefusesFilesTooShortForTheirHeader) {
  EXPECT_EQ(file_error("", 0), ErrorCode::HeaderTooSmall);
  EXPECT_EQ(file_error("\x02\0\0\0\0\0\0", 7), ErrorCode::HeaderTooSmall);
  const std::string file = file_of("{}");
  EXPECT_EQ(file_error(file.substr(0, 9), 9), ErrorCode::InvalidHeaderLength);
  EXPECT_EQ(file_error(file.substr(0, 9), 10), ErrorCode::InvalidHeaderLength);  // the prefix is short
  EXPECT_EQ(file_error(file.substr(0, 4), 10), ErrorCode::InvalidHeaderLength);
  EXPECT_EQ(file_error(file, 10), ErrorCode::Cancelled);
}

TEST(ParseHeader, RefusesLengthsAboveTheCapWhateverTheFileHas) {
  std::string file = file_of("{}");
  store_le<std::uint64_t>(file.data(), 100'000'001);
  EXPECT_EQ(file_error(file, UINT64_MAX), ErrorCode::HeaderTooLarge);
  store_le<std::uint64_t>(file.data(), 100'000'000);
  EXPECT_EQ(file_error(file, UINT64_MAX), ErrorCode::InvalidHeaderLength);
  store_le<std::uint64_t>(file.data(), UINT64_MAX);
  EXPECT_EQ(file_error(file, UINT64_MAX), ErrorCode::HeaderTooLarge);
}

TEST(ParseHeader, AnEmptyHeaderIsNoHeader) {
  EXPECT_EQ(verdict(""), "InvalidHeaderDeserialization");
  EXPECT_EQ(verdict("   "), "InvalidHeaderDeserialization");
}

TEST(ParseHeader, MessagesNameTensorPlaceAndNeed) {
  EXPECT_EQ(error_text(header_of({entry("a.b", "F32", {2, 2}, 0, 12)}), 12),
            "tensor 'a.b': data_offsets [0, 12] hold 12 bytes, F32 [2, 2] needs 16 (header byte 9)");
  EXPECT_EQ(
      error_text(header_of({entry("a", "U8", {1}, 1, 2)}), 2),
      "tensor 'a': data_offsets [1, 2] leave a hole or overlap: begin must be 0, where the tensor before "
      "ends (header byte 9)");
  EXPECT_EQ(error_text(R"({"a":{"dtype":"U8"}})"),
            "tensor 'a': the field 'shape' is missing, needed once (header byte 9)");
  EXPECT_EQ(error_text(R"({"a":{"dtype":3}})"),
            "tensor 'a': expected a dtype in quotes, found '3' (header byte 22)");
  EXPECT_EQ(error_text(R"({"a")"),
            "tensor 'a': expected ':' behind the name, found the end of the header "
            "(header byte 12)");
  EXPECT_EQ(error_text(header_of({entry("a", "F4", {3}, 0, 2)}), 2),
            "tensor 'a': F4 [3] needs 12 bits, which is no whole number of bytes (header byte 9)");
  EXPECT_EQ(error_text("{}", 3), "the tensors cover 0 bytes, the data section has 3 (header byte 8)");
}

TEST(ParseHeader, MessagesCutLongNamesAndEscapeHostileOnes) {
  const std::string text = error_text(header_of({entry(std::string(5000, 'n'), "U9", {1}, 0, 1)}));
  EXPECT_LT(text.size(), 700U);
  EXPECT_THAT(error_text(header_of({entry("\xE2\x80\xAE", "U9", {1}, 0, 1)})), HasSubstr("\\xe2\\x80\\xae"));
}

TEST(ParseHeader, AnEmptyNameIsAName) {
  EXPECT_THAT(error_text(header_of({entry("", "U8", {2}, 0, 1)}), 1), HasSubstr("tensor '': "));
}

TEST(ParseHeader, TellsBothPlacesOfARepeatedName) {
  const std::string header = header_of({entry("a", "U8", {1}, 0, 1), entry("b", "U8", {1}, 1, 2),
                                        R"("\u0061":{"dtype":"U8","shape":[1],"data_offsets":[2,3]})"});
  const auto error = parse_error(header, 3);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::DuplicateKey);
  EXPECT_EQ(error->subject(), "a");
  EXPECT_EQ(error->offset(), 8 + header.find(R"("\u0061")"));
  EXPECT_THAT(error->what(), HasSubstr("first at header byte 9"));
}

TEST(ParseHeader, RefusesRepeatedKeysAtEveryLevel) {
  EXPECT_EQ(verdict(R"({"__metadata__":{"a":"1","b":"2","\u0061":"3"}})"), "DuplicateKey");
  EXPECT_EQ(verdict(R"({"__metadata__":null,"__metadata__":null})"), "DuplicateKey");
  EXPECT_EQ(verdict(R"({"a":{"shape":[1],"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1),
            "DuplicateKey");
}

TEST(ParseHeader, BoundsRankMetadataAndTheirMemory) {
  Limits limits;
  limits.rank = 2;
  EXPECT_EQ(verdict(header_of({entry("a", "U8", {1, 1}, 0, 1)}), 1, limits), "OK");
  EXPECT_EQ(verdict(header_of({entry("a", "U8", {1, 1, 1}, 0, 1)}), 1, limits), "LimitExceeded");
  limits.metadata_entries = 1;
  EXPECT_EQ(verdict(R"({"__metadata__":{"a":"1"}})", 0, limits), "OK");
  EXPECT_EQ(verdict(R"({"__metadata__":{"a":"1","b":"2"}})", 0, limits), "LimitExceeded");
  limits.header_bytes = 4;
  EXPECT_EQ(verdict("{}  ", 0, limits), "OK");
  EXPECT_EQ(verdict("{}   ", 0, limits), "HeaderTooLarge");
}

TEST(ParseHeader, RefusesMoreDimensionsThanTheHeaderHasBytesFor) {
  const auto with_tensors = [](std::size_t count) {
    std::vector<std::string> members;
    for (std::size_t i = 0; i < count; ++i)
      members.push_back(entry(std::to_string(i), "U8", Shape(255, 0), 0, 0));
    return header_of(members);
  };
  EXPECT_EQ(verdict(with_tensors(514)), "OK");             // 131070 dimensions of 8 bytes in 1 MiB
  EXPECT_EQ(verdict(with_tensors(515)), "LimitExceeded");  // a header of less than 1 MiB
}

TEST(ParseHeader, SumsOfOffsetsNearTheTopOfTheRangeDoNotWrap) {
  const std::uint64_t half = std::uint64_t{1} << 60;
  EXPECT_EQ(verdict(header_of({entry("a", "U8", {half}, 0, half), entry("b", "U8", {half}, half, 2 * half)})),
            "MetadataIncompleteBuffer");
  EXPECT_EQ(verdict(header_of({entry("a", "U8", {UINT64_MAX / 8}, 0, UINT64_MAX / 8),
                               entry("b", "U8", {1}, UINT64_MAX, UINT64_MAX)})),
            "InvalidOffset");
}

}  // namespace
}  // namespace weighbridge
