#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/zip/local_header.hpp"
#include "support/zip_builder.hpp"
#include "support/zip_expectations.hpp"

namespace weighbridge::zip {
namespace {

using test::expect_refused;
using test::le16;
using test::le64;
using test::read_archive;
using test::ZipBuilder;
using test::ZipEntry;
using testing::HasSubstr;

TEST(ZipLocalHeader, RefusesAnotherName) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add("m/data.pkl", "pickle");
  entry.local.name = "m/datap.kl";
  expect_refused(zip, HasSubstr("entry 'm/data.pkl': its local header names it 'm/datap.kl'"));
  entry.local.name = "m/data.pk";
  expect_refused(zip, HasSubstr("a name of 9 bytes in its local header, 10 in the directory"));
}

TEST(ZipLocalHeader, MakesAHostileNamePrintable) {
  ZipBuilder zip;
  zip.add("a\x1b[31m", "1").local.name = "b\x1b[31m";
  expect_refused(zip, HasSubstr("entry 'a\\x1b[31m': its local header names it 'b\\x1b[31m'"));
}

TEST(ZipLocalHeader, RefusesFlagsThatStopOtherReaders) {
  for (const int flags : {0x0021, 0x0001, 0x0020, 0x0040, 0x2000, 0x0809}) {
    ZipBuilder zip;
    zip.add("a", "1").local.flags = static_cast<std::uint16_t>(flags);
    expect_refused(zip, HasSubstr("claim encryption or patch data"));
  }
}

TEST(ZipLocalHeader, ToleratesFlagsThatChangeNothing) {
  ZipBuilder zip;
  zip.add("a", "1").local.flags = std::uint16_t{0};  // the directory says UTF-8
  EXPECT_EQ(test::content(read_archive(zip), "a"), "1");
}

TEST(ZipLocalHeader, RefusesAnotherMethod) {
  ZipBuilder zip;
  zip.add_deflated("a", "some bytes").local.method = std::uint16_t{0};
  expect_refused(zip, HasSubstr("compression method 0 in its local header, 8 in the directory"));
}

TEST(ZipLocalHeader, RefusesOtherSizesOrChecksum) {
  ZipBuilder size;
  size.add("a", "12345678").local.bytes = 16;
  expect_refused(size, HasSubstr("size 16 in its local header, 8 in the directory"));
  ZipBuilder compressed;
  compressed.add("a", "12345678").local.compressed_bytes = 4;
  expect_refused(compressed, HasSubstr("compressed size 4 in its local header, 8 in the directory"));
  ZipBuilder crc;
  crc.add("a", "12345678").local.crc32 = 7;
  expect_refused(crc, HasSubstr("CRC-32 7 in its local header"));
}

TEST(ZipLocalHeader, ToleratesZerosInPlaceOfSizesAndChecksum) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add("a", "12345678");
  entry.local.bytes = entry.local.compressed_bytes = 0;
  entry.local.crc32 = 0;
  EXPECT_EQ(test::content(read_archive(zip), "a"), "12345678");
}

TEST(ZipLocalHeader, IgnoresSizesThatADescriptorReplaces) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add("a", "12345678");
  entry.local.flags = std::uint16_t{0x0808};
  entry.local.bytes = 77;
  EXPECT_EQ(test::content(read_archive(zip), "a"), "12345678");
}

TEST(ZipLocalHeader, ComparesZip64Sizes) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add("a", "12345678");
  entry.zip64 = true;
  entry.local.bytes = std::uint64_t{1} << 40;
  expect_refused(zip, HasSubstr("size 1099511627776 in its local header, 8 in the directory"));
  entry.local.extra = le16(1) + le16(8) + le64(8);
  expect_refused(zip, HasSubstr("the zip64 field of its local header lacks a size"));
  entry.local.extra = "";
  expect_refused(zip, HasSubstr("size 4294967295 in its local header"));
}

TEST(ZipLocalHeader, MustStandWhereTheDirectorySays) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add("a", "12345678");
  entry.central.local_offset = 1;
  expect_refused(zip, HasSubstr("entry 'a': no local header where the directory says (byte 1)"));
  entry.central.local_offset = 20;
  expect_refused(zip, HasSubstr("its local header of 31 bytes at 20 reaches into the directory at byte 39"));
}

}  // namespace
}  // namespace weighbridge::zip
