// The verdicts of the safetensors reference on some hundred headers, and the few where ours differs.
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <weighbridge/header.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/header_dsl.hpp"

namespace weighbridge {
namespace {

struct Case {
  std::string label;
  std::string header;
  std::uint64_t data_bytes = 0;
  std::string verdict;  // "OK" or the name of the error
  std::string content;  // of an OK header
};

// Where we refuse what the reference accepts, or name the reason more exactly.
// docs/formats/safetensors.md explains each.
const std::map<std::string, std::string, std::less<>> kStricter = {
    {"leading ws", "InvalidHeaderDeserialization"},
    {"ws everywhere", "InvalidHeaderDeserialization"},  // starts with a space
    {"tensor as array seq", "InvalidHeaderDeserialization"},
    {"dtype as {F32:null}", "InvalidHeaderDeserialization"},
    {"dup tensor key same", "DuplicateKey"},
    {"dup tensor key diff (last wins)", "DuplicateKey"},
    {"dup tensor key diff (first size)", "DuplicateKey"},
    {"same name via escape dup", "DuplicateKey"},
    {"dup __metadata__", "DuplicateKey"},
    {"dup key inside metadata", "DuplicateKey"},
    {"dup field in tensor info", "DuplicateKey"},
};

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

Case parse_row(const std::string& row) {
  std::istringstream columns(row);
  std::string hex;
  std::string data_bytes;
  Case result;
  std::getline(columns, result.label, '\t');
  std::getline(columns, hex, '\t');
  std::getline(columns, data_bytes, '\t');
  std::getline(columns, result.verdict, '\t');
  if (result.verdict == "ERR") {
    std::getline(columns, result.verdict, '\t');
  } else {
    std::getline(columns, result.content, '\t');
  }
  result.header = from_hex(hex);
  result.data_bytes = std::stoull(data_bytes);
  return result;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  std::ifstream table(WEIGHBRIDGE_TEST_DATA "/header_conformance.tsv");
  for (std::string row; std::getline(table, row);) {
    if (!row.empty() && row.front() != '#') all.push_back(parse_row(row));
  }
  return all;
}

// As the table writes text: the escapes of Rust's debug form, as far as they occur there.
std::string rust_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\0') {
      out += "\\0";
    } else if (c == '\x7F') {
      out += "\\u{7f}";
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string content_of(const Header& header) {
  std::set<std::string> keys;
  for (std::size_t i = 0; i < header.size(); ++i) keys.insert(rust_text(header[i].name));
  std::vector<std::string> pairs;
  for (const auto& [key, value] : header.metadata()) {
    pairs.push_back(fmt::format("({}, {})", rust_text(key), rust_text(value)));
  }
  return fmt::format("keys=[{}] meta={}[{}]", fmt::join(keys, ", "), header.has_metadata() ? "Some" : "None",
                     fmt::join(pairs, ", "));
}

TEST(HeaderConformance, EveryVerdictIsTheReferencesOrDeliberatelyStricter) {
  const std::vector<Case> all = cases();
  ASSERT_GE(all.size(), 116U);
  std::size_t stricter = 0;
  for (const Case& c : all) {
    const auto exception = kStricter.find(c.label);
    if (exception != kStricter.end()) ++stricter;
    EXPECT_EQ(test::verdict(c.header, c.data_bytes),
              exception == kStricter.end() ? c.verdict : exception->second)
        << c.label;
  }
  EXPECT_EQ(stricter, kStricter.size()) << "an exception has no row";
}

TEST(HeaderConformance, AcceptedHeadersHoldTheSameNamesAndMetadata) {
  for (const Case& c : cases()) {
    if (c.verdict != "OK" || kStricter.contains(c.label)) continue;
    EXPECT_EQ(content_of(test::parse(c.header, c.data_bytes)), c.content) << c.label;
  }
}

TEST(HeaderConformance, ValidatingFindsAnErrorExactlyWhereParsingFails) {
  for (const Case& c : cases()) {
    const auto errors =
        test::codes_of(validate_header(*test::source_of(c.header, c.data_bytes)), Severity::Error);
    const auto error = test::parse_error(c.header, c.data_bytes);
    if (error) {
      EXPECT_THAT(errors, testing::Contains(error_code_name(error->code()))) << c.label;
    } else {
      EXPECT_THAT(errors, testing::IsEmpty()) << c.label;
    }
  }
}

TEST(HeaderConformance, EveryErrorSaysWhere) {
  for (const Case& c : cases()) {
    const auto error = test::parse_error(c.header, c.data_bytes);
    if (!error) continue;
    ASSERT_TRUE(error->offset().has_value()) << c.label;
    EXPECT_THAT(error->what(), testing::HasSubstr(fmt::format("(header byte {})", *error->offset())))
        << c.label;
    EXPECT_LE(*error->offset(), 8 + c.header.size()) << c.label;
  }
}

}  // namespace
}  // namespace weighbridge
