#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/tar/archive.hpp"
#include "support/tar_builder.hpp"
#include "support/zip_expectations.hpp"

namespace weighbridge::tar {
namespace {

using test::expect_error;
using test::pax_record;
using test::read_text;
using test::TarBuilder;
using test::TarMember;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names(const TarBuilder& tar) {
  std::vector<std::string> names;
  for (const Member& member : read_members(*tar.source(), Limits{})) names.push_back(member.name);
  return names;
}

void expect_refused(const TarBuilder& tar, const std::string& message) {
  expect_error(ErrorCode::MalformedArchive, HasSubstr(message),
               [&] { static_cast<void>(read_members(*tar.source(), Limits{})); });
}

/// One sound member and one of that type.
TarBuilder with_type(char type, const std::string& content = "") {
  TarBuilder tar;
  tar.add("storages", content).type = type;
  return tar;
}

TEST(Tar, FindsMembersWhereTheyLie) {
  TarBuilder tar;
  tar.add("a", "first");
  tar.add("folder/b", std::string(600, 'x'));
  const SourcePtr source = tar.source();
  const auto members = read_members(*source, Limits{});
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].header_offset, 0U);
  EXPECT_EQ(read_text(*source, members[0].offset, members[0].bytes), "first");
  EXPECT_EQ(members[1].name, "folder/b");
  EXPECT_EQ(members[1].header_offset, 1024U);
  EXPECT_EQ(read_text(*source, members[1].offset, members[1].bytes), std::string(600, 'x'));
}

TEST(Tar, IsToldByItsMagicNumberOrItsChecksum) {
  TarBuilder tar;
  TarMember& member = tar.add("a", "first");
  EXPECT_TRUE(looks_like_tar(*tar.source()));
  member.magic = "";
  EXPECT_TRUE(looks_like_tar(*tar.source()));
  member.checksum = "0000000";
  EXPECT_FALSE(looks_like_tar(*tar.source()));
  member.magic = "ustar";
  EXPECT_TRUE(looks_like_tar(*tar.source()));  // so that reading can say what is wrong
  EXPECT_FALSE(looks_like_tar(*memory_source(Buffer::take(std::string(1024, '\0')))));
}

TEST(Tar, PassesOverFoldersAndDotsInFront) {
  TarBuilder tar;
  tar.add("./", "").type = '5';
  tar.add("./weights.th", "w");
  EXPECT_THAT(names(tar), ElementsAre("weights.th"));
}

TEST(Tar, JoinsThePrefixOfPosix) {
  TarBuilder tar;
  tar.add("weights.th", "w").prefix = "folder";
  EXPECT_THAT(names(tar), ElementsAre("folder/weights.th"));
}

TEST(Tar, PassesOverNotesOnTimesAndOwners) {
  TarBuilder tar;
  tar.add("PaxHeaders/g", pax_record("comment", "0123")).type = 'g';
  tar.add("PaxHeaders/x", pax_record("mtime", "1321711775.97") + pax_record("uname", "me")).type = 'x';
  tar.add("a", "");
  EXPECT_THAT(names(tar), ElementsAre("a"));
}

TEST(Tar, ReadsBinarySizesThatOctalDigitsCannotHold) {
  TarBuilder tar;
  TarMember& member = tar.add("a", "");
  member.size = std::string("\x80\0\0\0\0\0\0\x02\0\0\0\0", 12);  // 8 GiB
  expect_refused(tar, "'a' has 8589934592 bytes, the file has 1024 left");
  member.size = std::string("\x80\0\0\0\0\0\0\0\0\0\0\0", 12);
  expect_refused(tar, "is no octal number");
}

TEST(Tar, Hostile61RefusesLinks) {
  expect_refused(with_type('1'), "'storages' is a hard link");
  expect_refused(with_type('2'), "'storages' is a symbolic link");
}

TEST(Tar, Hostile61RefusesDevicesAndSparseFiles) {
  expect_refused(with_type('3'), "is a device");
  expect_refused(with_type('4'), "is a device");
  expect_refused(with_type('6'), "is a pipe");
  expect_refused(with_type('S'), "is a sparse file");
  expect_refused(with_type('?'), "is of an unknown kind");
}

TEST(Tar, Hostile61RefusesSizesThatDoNotFit) {
  TarBuilder tar;
  TarMember& member = tar.add("a", "");
  member.size = "77777777777";
  expect_refused(tar, "'a' has 8589934591 bytes");
  member.size = std::string(12, '\xFF');
  expect_refused(tar, "is no octal number");
  member.size = std::string("\x80\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12);
  expect_refused(tar, "'a' has 18446744073709551615 bytes");
  for (const char* size : {"", "-1", "0x10", "12 3", "99"}) {
    member.size = size;
    expect_refused(tar, "is no octal number");
  }
}

TEST(Tar, Hostile61RefusesNotesThatChangeTheNextMember) {
  for (const char* key : {"path", "size", "linkpath", "GNU.sparse.major", "hdrcharset", "SCHILY.realsize"}) {
    expect_refused(with_type('x', pax_record(key, "1")), std::string("changes '") + key);
    expect_refused(with_type('g', pax_record(key, "1")), std::string("changes '") + key);
  }
  expect_refused(with_type('L', "a longer name"), "a name for the next member");
  expect_refused(with_type('K', "a longer link"), "a name for the next member");
}

TEST(Tar, RefusesMalformedNotes) {
  for (const char* record : {"x", "5 a=b", "99 a=b\n", "0 a=b\n", "2 \n", "7 mtime\n", "-7 a=b\n"}) {
    expect_refused(with_type('x', record), "an extended header is malformed");
  }
  expect_refused(with_type('x', std::string(70'000, ' ')), "has 70000 bytes, the limit is 65536");
}

TEST(Tar, RefusesAWrongChecksum) {
  TarBuilder tar;
  tar.add("a", "").checksum = "0000000";
  expect_refused(tar, "the checksum of a header is wrong (byte 0)");
}

TEST(Tar, RefusesNamesThatAreThereTwice) {
  TarBuilder tar;
  tar.add("pickle", "good");
  tar.add("./PICKLE", "evil");
  expect_refused(tar, "'PICKLE' is there twice (byte 1024)");
}

TEST(Tar, RefusesNamesThatLeaveTheFolder) {
  for (const char* name : {"../a", "/etc/passwd", "a/../../b", "a\\b"}) {
    TarBuilder tar;
    tar.add(name, "");
    expect_refused(tar, "leaves the archive's folder");
  }
  TarBuilder nameless;
  nameless.add("", "");
  expect_refused(nameless, "a file without a name");
}

TEST(Tar, RefusesAnArchiveWithoutAnEnd) {
  TarBuilder tar;
  tar.add("a", "content");
  tar.end.clear();
  expect_refused(tar, "the archive ends without an empty block (byte 1024)");
}

TEST(Tar, RefusesWhatOtherReadersWouldFindBehindTheEnd) {
  TarBuilder hidden;
  hidden.add("b", "hidden");
  TarBuilder tar;
  tar.add("a", "shown");
  tar.end += hidden.bytes();
  expect_refused(tar, "bytes behind the end of the archive");
}

TEST(Tar, RefusesAFolderWithContent) {
  expect_refused(with_type('5', "x"), "the folder 'storages' has 1 bytes");
}

TEST(Tar, BoundsTheNumberOfHeaders) {
  TarBuilder tar;
  for (int i = 0; i < 4; ++i) tar.add(std::to_string(i), "");
  Limits limits;
  limits.archive_entries = 3;
  expect_error(ErrorCode::LimitExceeded, HasSubstr("more than 3 headers"),
               [&] { static_cast<void>(read_members(*tar.source(), limits)); });
}

}  // namespace
}  // namespace weighbridge::tar
