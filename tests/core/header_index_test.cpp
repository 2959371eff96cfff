#include "core/header_index.hpp"

#include <set>

#include <gtest/gtest.h>

#include "core/header_dsl.hpp"
#include "core/header_text.hpp"

namespace weighbridge {
namespace {

using test::entry;
using test::header_of;

std::string repeated(std::size_t size, char c) { return std::string(size, c); }

TEST(NameHash, GivesNamesOfEverySizeAHashOfTheirOwn) {
  const NameHash hash;
  std::set<std::uint32_t> hashes;
  for (std::size_t size = 0; size < 100; ++size) {
    hashes.insert(hash(repeated(size, 'a')));
    EXPECT_EQ(hash(repeated(size, 'a')), hash(repeated(size, 'a')));
  }
  EXPECT_GE(hashes.size(), 99U);  // one collision by chance is seen once in a million runs
}

TEST(NameHash, DependsOnEveryByte) {
  const NameHash hash;
  for (std::size_t size = 1; size < 70; ++size) {
    std::set<std::uint32_t> hashes = {hash(repeated(size, 'a'))};
    for (std::size_t at = 0; at < size; ++at) {
      std::string name = repeated(size, 'a');
      name[at] = 'b';
      hashes.insert(hash(name));
    }
    EXPECT_GE(hashes.size(), size) << size;
  }
}

TEST(NameHash, IsTheSameForTheLifeOfTheProcess) { EXPECT_EQ(NameHash()("name"), NameHash()("name")); }

TEST(HeaderIndex, FindsNamesOfEverySize) {
  std::vector<std::string> members;
  for (std::size_t size = 0; size < 200; ++size) {
    members.push_back(entry(repeated(size, 'n'), "U8", {1}, size, size + 1));
  }
  const Header header = test::parse(header_of(members), 200);
  for (std::size_t size = 0; size < 200; ++size) EXPECT_EQ(header.find(repeated(size, 'n')), size);
  EXPECT_FALSE(header.find(repeated(200, 'n')));
}

TEST(HeaderIndex, FindsNamesWhateverTheOrderOfTheText) {
  std::vector<std::string> members;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint64_t at = i * 7 % 1000;
    members.push_back(entry(fmt::format("t{}", at), "U8", {1}, at, at + 1));
  }
  const Header header = test::parse(header_of(members), 1000);
  for (std::uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(header.find(fmt::format("t{}", i)), i);
}

TEST(HeaderIndex, FindsNamesWhenSlotsCollide) {
  // All hashes alike: the search for every name starts at the same slot.
  const std::string text = "abcdefgh";
  Header::Data data;
  data.text = test::padded(text);
  for (std::uint32_t i = 0; i < text.size(); ++i) {
    TensorRecord record;
    record.name = {i, 1};
    record.name_hash = data.name_hash("h");
    data.tensors.push_back(record);
  }
  HeaderReport report;
  build_name_index(data, report);
  EXPECT_EQ(find_name(data, "h"), 7U);
}

TEST(HeaderIndex, ReportsEveryRepetition) {
  const Findings findings =
      validate_header(*test::source_of(header_of({entry("a", "U8", {1}, 0, 1), entry("b", "U8", {1}, 1, 2),
                                                  entry("a", "U8", {1}, 2, 3), entry("a", "U8", {1}, 3, 4)}),
                                       4));
  EXPECT_EQ(test::codes_of(findings, Severity::Error),
            (std::vector<std::string>{"DuplicateKey", "DuplicateKey"}));
}

}  // namespace
}  // namespace weighbridge
