// A header that goes through a window: what is kept of it, and what is said when it breaks off.
#include "core/header_stream.hpp"

#include <gtest/gtest.h>

#include "base/utf8.hpp"
#include "core/header_dsl.hpp"
#include "core/header_paths.hpp"

namespace weighbridge {
namespace {

using test::entry;
using test::header_of;
using test::paths_agree;
using test::scan;

constexpr StreamWindow kSmall = {.piece = 300, .least = 150};
const std::string kMetadata = R"("__metadata__":{"format":"pt","k":""})";

// Tensors of one byte each.
std::vector<std::string> members(std::size_t count) {
  std::vector<std::string> members = {kMetadata};
  for (std::uint64_t i = 0; i < count; ++i)
    members.push_back(entry(fmt::format("t.{}", i), "U8", {1}, i, i + 1));
  return members;
}

TEST(HeaderStream, KeepsNamesAndMetadataAtTheFront) {
  const std::string header = header_of(members(100));
  const auto streamed = scan(header, kSmall);
  ASSERT_EQ(streamed.data.tensors.size(), 100U);
  EXPECT_EQ(streamed.data.name(0), "t.0");
  EXPECT_EQ(streamed.data.name(99), "t.99");
  EXPECT_EQ(streamed.data.view(streamed.data.metadata.at(0).value), "pt");
  EXPECT_LT(streamed.data.tensors[50].name.at, header.size() / 10);
  EXPECT_EQ(header.substr(streamed.data.tensors[50].text_at, 4), "t.50");
}

TEST(HeaderStream, LeavesTheRestAtItsPlace) {
  std::vector<std::string> list = members(100);
  list[60] = entry("\\u0074", "U8", {1}, 59, 60);
  EXPECT_TRUE(paths_agree(header_of(list)));
  const auto streamed = scan(header_of(list), kSmall);
  ASSERT_EQ(streamed.data.tensors.size(), 100U);
  EXPECT_EQ(streamed.data.name(58), "t.58");
  EXPECT_EQ(streamed.data.name(59), "t");
  EXPECT_EQ(streamed.data.tensors[70].name.at, streamed.data.tensors[70].text_at);
}

TEST(HeaderStream, AgreesWhereverAHeaderBreaksOff) {
  const std::string header = header_of(members(20)) + "  ";
  for (std::size_t length = 0; length <= header.size(); ++length) {
    EXPECT_TRUE(paths_agree(header.substr(0, length))) << length;
  }
}

TEST(HeaderStream, AgreesOnMetadataOfEveryKind) {
  for (const std::string metadata :
       {"null", "{}", "{ }", "{\"a\":\"b\"}", "{\"a\": \"b\", \"c\": \"d\"}", "{\"a\":\"\\n\"}", "{\"a\":1}",
        "{\"a\"}", "{\"a\":\"b\",}", "{\"a\":\"b\",\"a\":\"c\"}", "[]", "{\"a\":\"b\"", "{\"a\":\"b\\",
        "\"\""}) {
    for (const std::string separator : {":", ": ", " :"}) {
      std::vector<std::string> list = members(10);
      list[0] = "\"__metadata__\"" + separator + metadata;
      EXPECT_TRUE(paths_agree(header_of(list))) << metadata;
      EXPECT_TRUE(paths_agree(header_of({list[0]}))) << metadata;
      list.push_back(list[0]);
      EXPECT_TRUE(paths_agree(header_of(list))) << metadata;
    }
  }
}

TEST(HeaderStream, CountsMetadataAgainstItsLimits) {
  Limits limits;
  for (limits.metadata_entries = 0; limits.metadata_entries < 4; ++limits.metadata_entries) {
    EXPECT_TRUE(paths_agree(header_of(members(3)), limits)) << limits.metadata_entries;
  }
}

TEST(HeaderStream, TakesCharactersThatPiecesCut) {
  std::vector<std::string> list;
  for (std::uint64_t i = 0; i < 60; ++i) {
    list.push_back(entry(std::string(i, 'x') + "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "U8", {1}, i, i + 1));
  }
  EXPECT_TRUE(paths_agree(header_of(list)));
}

TEST(HeaderStream, SaysWhereTextIsNotUtf8BeforeAnythingElse) {
  for (const std::string bad : {"\xC3", "\xE2\x82", "\xF0\x9F\x98", "\x80", "\xED\xA0\x80"}) {
    const std::string front = header_of(members(20)) + "nonsense ";
    for (const std::size_t piece : {1U, 2U, 3U, 100U, 10'000U}) {
      const auto broken = scan(front + bad, StreamWindow{.piece = piece, .least = 1});
      ASSERT_TRUE(broken.error.has_value());
      EXPECT_EQ(broken.error->code(), ErrorCode::InvalidHeader);
      EXPECT_EQ(broken.error->offset(), kHeaderStart + front.size());
    }
  }
}

// Names and metadata are looked at as they are taken, all other text when it is left.
TEST(HeaderStream, SaysWhereTextIsNotUtf8WhereverThatIs) {
  std::vector<std::string> list = members(9);
  list.push_back(entry(std::string(40, 'n') + "\xC3\xA9" + std::string(20, 'n'), "U8", {1}, 9, 10));
  const std::string header = header_of(list) + "  ";
  for (std::size_t at = 0; at < header.size(); ++at) {
    for (const char byte : {'\x80', '\xC3', '\xE2', '\xF0', '\xFF'}) {
      std::string changed = header;
      changed[at] = byte;
      const auto bad = find_invalid_utf8(changed);
      if (!bad) continue;  // another character of two bytes
      for (const StreamWindow& window : test::kWindows) {
        const auto broken = scan(changed, window);
        ASSERT_TRUE(broken.error.has_value()) << at;
        EXPECT_EQ(broken.error->code(), ErrorCode::InvalidHeader) << at;
        EXPECT_EQ(broken.error->offset(), kHeaderStart + *bad) << at;
      }
    }
  }
}

TEST(HeaderStream, TellsThePlaceOfEveryEntry) {
  std::vector<std::string> list = members(5000);
  list.push_back(entry("t.7", "U8", {1}, 5000, 5001));
  const std::string header = header_of(list);
  ASSERT_GT(header.size(), StreamWindow{}.piece);
  const Header read = test::parse(header_of(members(5000)), 5000);
  EXPECT_EQ(read[4999].header_offset, kHeaderStart + header.find("\"t.4999\""));
  const auto error = test::error_of([&] { test::parse(header, 5001); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::DuplicateKey);
  EXPECT_EQ(error->offset(), kHeaderStart + header.rfind("\"t.7\""));
}

}  // namespace
}  // namespace weighbridge
