#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/zip/directory.hpp"
#include "support/zip_builder.hpp"
#include "support/zip_expectations.hpp"

namespace weighbridge::zip {
namespace {

using test::expect_refused;
using test::le16;
using test::le32;
using test::le64;
using test::read_archive;
using test::ZipBuilder;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint64_t kMax64 = 0xFFFFFFFFFFFFFFFF;

TEST(ZipDirectory, RefusesDuplicatesInEitherOrder) {
  for (const bool evil_last : {false, true}) {
    ZipBuilder zip;
    zip.add("m/data.pkl", evil_last ? "good" : "evil");
    zip.add("m/data/0", "bytes");
    zip.add("m/data.pkl", evil_last ? "evil" : "good");
    expect_refused(zip, AllOf(HasSubstr("entry 'm/data.pkl': duplicate entry"), HasSubstr("(byte ")));
  }
}

TEST(ZipDirectory, RefusesNamesThatDifferOnlyInCase) {
  ZipBuilder zip;
  zip.add("m/data.pkl", "good");
  zip.add("m/DATA.PKL", "evil");
  expect_refused(zip, HasSubstr("entry 'm/DATA.PKL': duplicate entry; 'm/data.pkl' is at byte"));
}

TEST(ZipDirectory, RefusesEncryptionAndPatchData) {
  for (const int flags : {0x0001, 0x0040, 0x2000}) {
    ZipBuilder zip;
    zip.add("a", "1").central.flags = static_cast<std::uint16_t>(flags);
    expect_refused(zip, HasSubstr("entry 'a': not yet supported: encryption"), ErrorCode::Unsupported);
  }
  ZipBuilder zip;
  zip.add("a", "1").central.flags = 0x0020;
  expect_refused(zip, HasSubstr("patch data (flags 0x0020)"), ErrorCode::Unsupported);
}

TEST(ZipDirectory, NamesTheMethodItDoesNotRead) {
  ZipBuilder zip;
  zip.add("m/data.pkl", "BZh9").method = 12;
  expect_refused(zip, HasSubstr("entry 'm/data.pkl': not yet supported: compression method 12"),
                 ErrorCode::Unsupported);
}

TEST(ZipDirectory, RefusesAStoredEntryOfTwoSizes) {
  ZipBuilder zip;
  zip.add("a", "12345678").central.bytes = 16;
  expect_refused(zip, HasSubstr("is stored, yet 16 bytes take 8 in the archive"));
}

TEST(ZipDirectory, RefusesHugeSizesAndOffsets) {
  ZipBuilder sizes;
  test::ZipEntry& entry = sizes.add("a", "12345678");
  entry.zip64 = true;
  entry.central.bytes = kMax64;
  entry.central.compressed_bytes = kMax64;
  expect_refused(sizes, HasSubstr("18446744073709551615 bytes of data"));

  ZipBuilder offset;
  test::ZipEntry& far = offset.add("a", "12345678");
  far.zip64 = true;
  far.central.local_offset = kMax64;
  expect_refused(offset, HasSubstr("reaches into the directory"));
}

TEST(ZipDirectory, RefusesZip64FieldsThatLackAValue) {
  ZipBuilder zip;
  test::ZipEntry& entry = zip.add("a", "12345678");
  entry.zip64 = true;
  entry.central.extra = le16(1) + le16(8) + le64(8);
  expect_refused(zip, HasSubstr("zip64 field lacks a value"));
}

TEST(ZipDirectory, RefusesExtraFieldsThatLeaveTheirArea) {
  ZipBuilder zip;
  zip.add("a", "1").central.extra = le16(0x7777) + le16(9) + "short";
  expect_refused(zip, HasSubstr("extra field 0x7777 of 9 bytes has only 5 left"));
}

TEST(ZipDirectory, RefusesASecondZip64Field) {
  ZipBuilder zip;
  const std::string field = le16(1) + le16(0);
  zip.add("a", "1").central.extra = field + field;
  expect_refused(zip, HasSubstr("extra field 0x0001 occurs twice"));
}

TEST(ZipDirectory, ToleratesUnknownExtraFieldsAndPadding) {
  ZipBuilder zip;
  zip.add("a", "1").central.extra = le16(0x5455) + le16(5) + "time!" + std::string(3, '\0');
  EXPECT_EQ(read_archive(zip).entries().size(), 1U);
}

TEST(ZipDirectory, RefusesASecondNameInTheUnicodePathField) {
  const auto unicode_path = [](const std::string& name) {
    return le16(0x7075) + le16(5 + name.size()) + '\1' + le32(0) + name;
  };
  ZipBuilder zip;
  test::ZipEntry& entry = zip.add("m/data.pkl", "1");
  entry.central.extra = unicode_path("m/data.pkl");
  EXPECT_EQ(read_archive(zip).entries().size(), 1U);
  entry.central.extra = unicode_path("m/evil.pkl");
  expect_refused(zip, HasSubstr("entry 'm/data.pkl': has a different name in its Unicode path field"));
}

TEST(ZipDirectory, RefusesWhatIsNoRegularFile) {
  ZipBuilder link;
  link.add("m/data.pkl", "/etc/passwd").external_attributes = 0120777U << 16;
  expect_refused(link, HasSubstr("entry 'm/data.pkl': is a symbolic link"));

  ZipBuilder device;
  device.add("a", "").external_attributes = 0020666U << 16;
  expect_refused(device, HasSubstr("is a special file (mode type 020000)"));

  ZipBuilder folder;
  folder.add("m", "").external_attributes = 0040755U << 16;
  expect_refused(folder, HasSubstr("is a folder by its mode and a file by its name"));

  ZipBuilder full_folder;
  full_folder.add("m/", "data");
  expect_refused(full_folder, HasSubstr("entry 'm/': is a folder and has 4 bytes"));
}

TEST(ZipDirectory, RefusesASignatureThatIsNone) {
  ZipBuilder zip;
  zip.add("a", "1");
  std::string bytes = zip.bytes();
  bytes[bytes.find("PK\1\2")] = 'X';
  test::expect_error(ErrorCode::MalformedArchive, HasSubstr("begins with 0x02014b58"),
                     [&] { static_cast<void>(Archive::read(memory_source(Buffer::take(bytes)), Limits{})); });
}

TEST(ZipDirectory, RefusesTwoEntriesWithOneLocalHeader) {
  ZipBuilder zip;
  zip.add("a", "12345678");
  zip.add("a", "12345678").central.local_offset = 0;
  expect_refused(zip, HasSubstr("entry 'a': overlaps entry 'a', which ends at byte 39 (byte 0)"));
}

TEST(ZipDirectory, RefusesDataThatQuotesTheNextEntry) {
  ZipBuilder zip;
  test::ZipEntry& quoter = zip.add("quoter", "");
  zip.add("quoted", "12345678");
  const std::uint64_t next_entry = 30 + 6 + 8;
  quoter.central.bytes = quoter.local.bytes = next_entry;
  quoter.central.compressed_bytes = quoter.local.compressed_bytes = next_entry;
  expect_refused(zip, HasSubstr("entry 'quoted': overlaps entry 'quoter'"));
}

TEST(ZipDirectory, RefusesDataThatReachesIntoTheDirectory) {
  ZipBuilder zip;
  test::ZipEntry& entry = zip.add("a", "12345678");
  entry.central.bytes = entry.local.bytes = 9;
  entry.central.compressed_bytes = entry.local.compressed_bytes = 9;
  expect_refused(zip, HasSubstr("entry 'a': its 9 bytes of data at 31 reach into the directory at byte 39"));
}

}  // namespace
}  // namespace weighbridge::zip
