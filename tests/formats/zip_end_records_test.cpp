#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/zip/end_records.hpp"
#include "support/zip_builder.hpp"
#include "support/zip_expectations.hpp"

namespace weighbridge::zip {
namespace {

using test::end_record;
using test::expect_error;
using test::expect_refused;
using test::read_archive;
using test::ZipBuilder;
using testing::HasSubstr;

ZipBuilder one_entry() {
  ZipBuilder zip;
  zip.add("a", "some bytes");
  return zip;
}

void expect_bytes_refused(std::string bytes, const char* message) {
  const SourcePtr source = memory_source(Buffer::take(std::move(bytes)));
  expect_error(ErrorCode::MalformedArchive, HasSubstr(message),
               [&] { static_cast<void>(Archive::read(source, Limits{})); });
}

TEST(ZipEndRecords, RefusesAFileWithoutAny) {
  expect_bytes_refused("", "no end record in the last 0 bytes");
  const std::string bytes = one_entry().bytes();
  expect_bytes_refused(bytes.substr(0, bytes.size() - 1), "no end record");
}

TEST(ZipEndRecords, AreFoundBehindTheLongestComment) {
  ZipBuilder zip = one_entry();
  zip.comment = std::string(0xFFFF, 'c');
  EXPECT_EQ(read_archive(zip).entries().size(), 1U);
}

TEST(ZipEndRecords, AreNotSoughtFurtherFromTheEndThanACommentReaches) {
  ZipBuilder zip = one_entry();
  zip.suffix = std::string(0xFFFF, 'x');
  EXPECT_EQ(read_archive(zip).entries().size(), 1U);
  zip.suffix += 'x';
  expect_refused(zip, HasSubstr("no end record in the last 65557 bytes"));
}

TEST(ZipEndRecords, MayNotHideASecondOneInTheComment) {
  ZipBuilder zip = one_entry();
  const std::uint32_t position = static_cast<std::uint32_t>(zip.bytes().size());
  zip.comment = end_record(0, 0, position, 0);  // consistent: an empty directory right before it
  expect_refused(zip, HasSubstr("is just as consistent"));
  zip.comment = end_record(1, 47, 3, 0);  // what readers that search backwards would take
  expect_refused(zip, HasSubstr("does not end at byte"));
}

TEST(ZipEndRecords, MayNotBeFollowedByAnotherArchive) {
  ZipBuilder zip = one_entry();
  zip.suffix = one_entry().bytes();
  expect_refused(zip, HasSubstr("does not end at byte"));
}

TEST(ZipEndRecords, AreNotConfusedByAnArchiveStoredInside) {
  ZipBuilder zip;
  zip.add("inner.zip", one_entry().bytes());
  EXPECT_EQ(read_archive(zip).entries().size(), 1U);
}

TEST(ZipEndRecords, RefuseAPrefix) {
  ZipBuilder zip = one_entry();
  zip.prefix = std::string(40, 'x');
  expect_refused(zip, HasSubstr("40 bytes before its first entry"));
  zip.prefix = "PK\3\4" + std::string(40, 'x');
  expect_refused(zip, HasSubstr("44 bytes before its first entry"));
  zip.offsets_count_prefix = false;
  expect_refused(zip, HasSubstr("does not end at byte"));
}

TEST(ZipEndRecords, RefuseAPrefixOfAnEmptyArchive) {
  ZipBuilder zip;
  zip.prefix = "junk";
  expect_refused(zip, HasSubstr("4 bytes before its first header"));
}

TEST(ZipEndRecords, RefuseADirectoryPastTheEndOfTheFile) {
  ZipBuilder zip = one_entry();
  zip.end.directory_offset = 0xFFFFFFF0;
  expect_refused(zip, HasSubstr("a directory of 47 bytes at 4294967280 does not end at byte"));
  zip.zip64_end = true;
  zip.end.directory_offset = 0xFFFFFFFFFFFFFFFF;
  expect_refused(zip, HasSubstr("does not end at byte"));
}

TEST(ZipEndRecords, RefuseSeveralDisks) {
  ZipBuilder zip = one_entry();
  zip.end.disk = 1;
  expect_refused(zip, HasSubstr("several disks"), ErrorCode::Unsupported);
}

TEST(ZipEndRecords, MustAgreeWithTheirZip64Twins) {
  ZipBuilder zip = one_entry();
  zip.zip64_end = true;
  EXPECT_EQ(read_archive(zip).entries().size(), 1U);
  zip.end.zip64_entries = 2;
  expect_refused(zip, HasSubstr("disagree about the entries on this disk: 1 and, in zip64, 2"));
}

TEST(ZipEndRecords, MustFindTheirZip64RecordWhereTheLocatorSays) {
  ZipBuilder zip = one_entry();
  zip.zip64_end = true;
  zip.end.zip64_offset = 0;
  expect_refused(zip, HasSubstr("should stand at byte 0 and does not"));
  zip.end.zip64_offset = 0xFFFFFFFFFFFFFFFF;
  expect_refused(zip, HasSubstr("leaves it no room"));
}

TEST(ZipEndRecords, MustCountTheEntries) {
  ZipBuilder zip = one_entry();
  zip.add("b", "more");
  zip.end.entries = 1;
  expect_refused(zip, HasSubstr("goes on for 47 bytes behind its 1 entries"));
  zip.end.entries = 3;
  expect_refused(zip, HasSubstr("a directory of 94 bytes cannot hold 3 entries"));
}

TEST(ZipEndRecords, MayNotClaimMoreEntriesThanTheLimit) {
  ZipBuilder zip;
  zip.end.entries = 2'000'001;
  zip.zip64_end = true;
  expect_refused(zip, HasSubstr("2000001 entries, the limit is 2000000"), ErrorCode::LimitExceeded);
}

}  // namespace
}  // namespace weighbridge::zip
