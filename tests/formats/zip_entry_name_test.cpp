#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/zip/entry_name.hpp"
#include "support/zip_builder.hpp"
#include "support/zip_expectations.hpp"

namespace weighbridge::zip {
namespace {

using test::content;
using test::expect_refused;
using test::read_archive;
using test::ZipBuilder;
using testing::HasSubstr;
using testing::SizeIs;

using namespace std::string_literals;

TEST(ZipEntryName, IsRefusedWhenReadersDifferAboutIt) {
  for (const auto& [name, message] :
       {std::pair("m\\data.pkl"s, "entry 'm\\data.pkl': the name holds a backslash"),
        std::pair("m/data.pkl\0.txt"s, "the name holds a NUL byte"),
        std::pair(""s, "an entry without a name")}) {
    ZipBuilder zip;
    zip.add(name, "1");
    expect_refused(zip, HasSubstr(message));
  }
}

TEST(ZipEntryName, ThatLeavesItsFolderIsAWarning) {
  for (const char* name : {"/etc/passwd", "../x", "a/../../b", "a/..", "..", "C:/x", "../"}) {
    ZipBuilder zip;
    zip.add(name, "");
    const Archive archive = read_archive(zip);
    ASSERT_THAT(archive.findings(), SizeIs(1)) << name;
    EXPECT_EQ(archive.findings()[0].code, "UnsafeName");
    EXPECT_EQ(archive.findings()[0].subject, name);
  }
}

TEST(ZipEntryName, WithDotsThatStayInTheFolderIsFine) {
  for (const char* name : {"a/.data/version", "..a", "a../b", "a/...", ".", "a//b", ":x"}) {
    EXPECT_FALSE(leaves_its_folder(name)) << name;
  }
}

TEST(ZipEntryName, ThatIsNoUtf8IsKeptWithAWarning) {
  ZipBuilder zip;
  zip.add("caf\xE9", "1");
  const Archive archive = read_archive(zip);
  EXPECT_EQ(content(archive, "caf\xE9"), "1");
  ASSERT_THAT(archive.findings(), SizeIs(1));
  EXPECT_EQ(archive.findings()[0].code, "NonUtf8Name");
  EXPECT_THAT(archive.findings()[0].message, HasSubstr("entry 'caf\\xe9'"));
}

TEST(ZipEntryName, WarningsAreCountedAboveTheLimit) {
  ZipBuilder zip;
  for (int i = 0; i < 5; ++i) zip.add("../" + std::to_string(i), "");
  Limits limits;
  limits.findings = 2;
  const Archive archive = Archive::read(zip.source(), limits);
  ASSERT_THAT(archive.findings(), SizeIs(3));
  EXPECT_THAT(archive.findings()[2].message, HasSubstr("3 more entries"));
}

TEST(CompareFolded, OrdersWithoutAsciiCase) {
  EXPECT_EQ(compare_folded("DATA.pkl", "data.PKL"), 0);
  EXPECT_LT(compare_folded("a", "B"), 0);
  EXPECT_GT(compare_folded("ab", "A"), 0);
  EXPECT_LT(compare_folded("", "a"), 0);
  EXPECT_NE(compare_folded("\xC3\x84", "\xC3\xA4"), 0) << "only ASCII is folded";
  EXPECT_LT(compare_folded("z", "\xC3"), 0) << "bytes compare as unsigned";
}

}  // namespace
}  // namespace weighbridge::zip
