// The quick way and the general way to scan a header never differ: on the headers of the conformance
// table, on usual headers with every single byte changed, and on random ones.
#include <array>
#include <fstream>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

#include "base/utf8.hpp"
#include "core/header_dsl.hpp"
#include "core/header_paths.hpp"

namespace weighbridge {
namespace {

using test::entry;
using test::header_of;
using test::paths_agree;

const std::string kSpaced =
    R"({"a": {"dtype": "BF16", "shape": [2, 10], "data_offsets": [0, 40]}, "b": {"dtype": "U8", "shape": [], "data_offsets": [40, 41]}})";

const std::string kExtended =
    R"({"a":{"dtype":"BF16","shape":[2,10],"data_offsets":[0,40],"x":[1,{"y":null}],"z":"q"},"b":{"dtype":"U8","shape":[],"data_offsets":[40,41],"x":1}})";

std::string usual_header() {
  return header_of({R"("__metadata__":{"format":"pt"})",
                    entry("model.layers.0.weight", "F32", {32, 7}, 0, 896), entry("b", "F32", {}, 896, 900),
                    entry("", "F8_E4M3FNUZ", {0}, 900, 900), entry("n\xC3\xA9", "F4", {2}, 900, 901)}) +
         "  ";
}

// A header of pieces that mostly fit together.
std::string random_header(std::mt19937& random) {
  static constexpr std::array<std::string_view, 43> kPieces = {
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      "\"",
      " ",
      "  ",
      "\n",
      "0",
      "1",
      "12",
      "007",
      "99999999999999999999",
      "18446744073709551615",
      "\"a\"",
      "\"b\":",
      "\"\\u0061\":",
      "\"dtype\"",
      "\"dtype\":\"F32\"",
      "\"dtype\": \"U8\"",
      "\"shape\":[1]",
      "\"shape\":[]",
      "\"shape\": [2, 3]",
      "\"data_offsets\":[0,4]",
      "\"data_offsets\": [4, 8]",
      "\"x\":{}",
      "\"x\":[1,{\"y\":null}]",
      "\"__metadata__\":",
      "{\"k\":\"v\"}",
      "null",
      "-1",
      "1e5",
      R"("t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})",
      R"("u":{"shape":[1],"dtype":"F32","data_offsets":[4,8]})",
      R"("v":{"data_offsets":[4,8],"shape":[1],"dtype":"F32"})",
      R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":{}})",
      R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"dtype":"U8"})",
      R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],)",
      R"("\"":{"dtype":"I64","shape":[],"data_offsets":[0,8]})",
      R"("__metadata__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})",
      "\xE2\x82\xAC"};
  std::uniform_int_distribution<std::size_t> pick(0, kPieces.size() - 1);
  std::string header = "{";
  for (std::size_t left = pick(random) / 2; left > 0; --left) {
    header += kPieces[pick(random)];
    if (left % 3 == 0) header += ',';
  }
  return header + (pick(random) % 4 == 0 ? "" : "}");
}

TEST(HeaderDifferential, OfTheConformanceTable) {
  std::ifstream table(WEIGHBRIDGE_TEST_DATA "/header_conformance.tsv");
  std::size_t compared = 0;
  for (std::string row; std::getline(table, row);) {
    if (row.empty() || row.front() == '#') continue;
    std::istringstream columns(row);
    std::string label;
    std::string hex;
    std::getline(columns, label, '\t');
    std::getline(columns, hex, '\t');
    std::string header;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      header.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    if (find_invalid_utf8(header)) continue;
    EXPECT_TRUE(paths_agree(header)) << label;
    ++compared;
  }
  EXPECT_GE(compared, 100U);
}

TEST(HeaderDifferential, OfUsualHeadersWithOneByteChanged) {
  constexpr std::string_view kBytes = "\"\\ {}[]:,0159adx_\n\x01\x7F";
  for (const std::string& header : {usual_header(), kSpaced, kExtended}) {
    for (std::size_t at = 0; at < header.size(); ++at) {
      for (const char byte : kBytes) {
        std::string changed = header;
        changed[at] = byte;
        if (find_invalid_utf8(changed)) continue;
        EXPECT_TRUE(paths_agree(changed)) << changed;
      }
    }
  }
}

TEST(HeaderDifferential, OfUsualHeadersCutOrWithOneByteMoreOrLess) {
  for (const std::string& header : {usual_header(), kSpaced, kExtended}) {
    for (std::size_t at = 0; at < header.size(); ++at) {
      const std::string front = header.substr(0, at);
      for (const std::string& changed :
           {front, front + header.substr(at + 1), front + " " + header.substr(at),
            front + "0" + header.substr(at), front + "\"" + header.substr(at)}) {
        if (find_invalid_utf8(changed)) continue;
        EXPECT_TRUE(paths_agree(changed)) << changed;
      }
    }
  }
}

TEST(HeaderDifferential, OfRandomHeaders) {
  std::mt19937 random(20'240'611);
  for (int i = 0; i < 20'000; ++i) {
    const std::string header = random_header(random);
    ASSERT_TRUE(paths_agree(header)) << header;
  }
}

TEST(HeaderDifferential, OfNumbersNearEveryBound) {
  for (const std::string number :
       {"0", "00", "9", "99999999", "100000000", "999999999999999999", "9999999999999999999",
        "09999999999999999999", "10000000000000000000", "18446744073709551615", "18446744073709551616",
        "99999999999999999999", "1.0", "1e3", "-0", ""}) {
    EXPECT_TRUE(
        paths_agree(fmt::format(R"({{"a":{{"dtype":"U8","shape":[{}],"data_offsets":[0,1]}}}})", number)));
    EXPECT_TRUE(
        paths_agree(fmt::format(R"({{"a":{{"dtype":"U8","shape":[1],"data_offsets":[{},1]}}}})", number)));
    EXPECT_TRUE(
        paths_agree(fmt::format(R"({{"a":{{"dtype":"U8","shape":[1],"data_offsets":[0,{}]}}}})", number)));
  }
}

TEST(HeaderDifferential, OfArraysThatAreSkipped) {
  for (const std::string array : {"[0,1,22,333]", "[0,1,22, 333]", "[0 ,1]", "[0,[1,2],3,{\"y\":4}]",
                                  "[12345678901234567,1]", "[1,-1,1.5,1e3,2]"}) {
    const std::string header =
        fmt::format(R"({{"a":{{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":{}}}}})", array);
    EXPECT_TRUE(paths_agree(header)) << array;
    EXPECT_EQ(test::parse(header, 1).size(), 1U) << array;
  }
  for (const std::string array : {"[0,", "[0,]", "[00,1]", "[01,1]", "[0,1", "[1,,2]", "[1,a]", "[1,0x]"}) {
    const std::string header =
        fmt::format(R"({{"a":{{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":{}}}}})", array);
    const auto error = test::error_of([&] { test::parse(header, 1); });
    ASSERT_TRUE(error.has_value()) << array;
    EXPECT_EQ(error->code(), ErrorCode::InvalidHeaderDeserialization) << array;
  }
}

TEST(HeaderDifferential, OfLimitsThatAreReached) {
  Limits limits;
  for (limits.rank = 0; limits.rank < 5; ++limits.rank) {
    EXPECT_TRUE(paths_agree(header_of({entry("a", "U8", {1, 1, 1}, 0, 1)}), limits)) << limits.rank;
  }
  limits.rank = UINT32_MAX;
  const Shape zeros(200'000, 0);
  EXPECT_TRUE(paths_agree(header_of({entry("a", "U8", zeros, 0, 0)}), limits));
  EXPECT_TRUE(paths_agree(header_of({entry("a", "U8", Shape(131'072, 0), 0, 0)}), limits));
  EXPECT_TRUE(paths_agree(header_of({entry("a", "U8", Shape(131'073, 0), 0, 0)}), limits));
}

TEST(HeaderDifferential, OfMoreOddEntriesThanTheQuickWayPutsUpWith) {
  std::vector<std::string> members;
  for (std::uint64_t i = 0; i < 300; ++i) {
    members.push_back(entry((i % 2 == 0 ? "\\u0061" : "a") + std::to_string(i), "U8", {1}, i, i + 1));
    EXPECT_TRUE(paths_agree(header_of(members))) << i;
  }
}

}  // namespace
}  // namespace weighbridge
