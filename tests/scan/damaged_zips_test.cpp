// Archives that scanners stop at and loaders do not.
#include <gtest/gtest.h>

#include "scan/support.hpp"

namespace weighbridge::scan_test {
namespace {

/// An archive with an attack and one with data, each changed in the same way.
struct Pair {
  ZipBuilder evil;
  ZipBuilder good;
  test::ZipEntry& evil_entry = evil.add("archive/data.pkl", attack().bytes());
  test::ZipEntry& good_entry = good.add("archive/data.pkl", harmless().bytes());

  void expect_caught() const {
    EXPECT_EQ(scan_bytes(evil.bytes()).verdict, Verdict::Dangerous);
    EXPECT_EQ(scan_bytes(good.bytes()).verdict, Verdict::Malformed);
  }
};

// CVE-2025-1944
TEST(ScanDamagedZips, LocalNameOtherThanTheDirectorys) {
  Pair zips;
  zips.evil_entry.local.name = "archive/datap.kl";
  zips.good_entry.local.name = "archive/datap.kl";
  zips.expect_caught();
}

// CVE-2025-1945
TEST(ScanDamagedZips, FlagsThatClaimEncryption) {
  for (const int bits : {0x1, 0x20, 0x40, 0x21, 0x2000}) {
    const auto flags = static_cast<std::uint16_t>(bits);
    Pair local;
    local.evil_entry.local.flags = flags;
    local.good_entry.local.flags = flags;
    local.expect_caught();
    Pair both;
    both.evil_entry.local.flags = both.evil_entry.central.flags = flags;
    both.good_entry.local.flags = both.good_entry.central.flags = flags;
    both.expect_caught();
  }
}

TEST(ScanDamagedZips, EncryptedAndDeflated) {
  Pair zips;
  zips.evil_entry.deflated().central.flags = 1;
  zips.good_entry.deflated().central.flags = 1;
  zips.expect_caught();
}

TEST(ScanDamagedZips, TwoEntriesOfOneName) {
  Pair zips;
  zips.evil.add("archive/data.pkl", harmless().bytes());
  zips.good.add("archive/DATA.pkl", harmless().bytes());
  zips.expect_caught();
}

TEST(ScanDamagedZips, HeadersThatContradictEachOther) {
  Pair method;
  method.evil_entry.central.method = 8;
  method.good_entry.central.method = 8;
  method.expect_caught();
  Pair size;
  size.evil_entry.central.bytes = size.evil_entry.central.compressed_bytes = 3;
  size.good_entry.central.bytes = size.good_entry.central.compressed_bytes = 3;
  size.expect_caught();
}

TEST(ScanDamagedZips, NoDirectoryLeft) {
  Pair zips;
  zips.evil.end.directory_offset = 1;
  zips.good.end.directory_offset = 1;
  zips.expect_caught();
}

TEST(ScanDamagedZips, JunkBeforeTheArchive) {
  for (const bool counted : {true, false}) {
    Pair zips;
    zips.evil.prefix = zips.good.prefix = "PK\x03\x04junk junk junk junk junk junk junk junk";
    zips.evil.offsets_count_prefix = zips.good.offsets_count_prefix = counted;
    zips.expect_caught();
  }
}

TEST(ScanDamagedZips, AnArchiveBehindAPickle) {
  ZipBuilder zip;
  zip.add("archive/data.pkl", attack().bytes());
  const ScanReport report = scan_bytes(harmless().bytes() + zip.bytes());
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_NE(find_finding(report, "ArchiveBehind"), nullptr);
  ZipBuilder good;
  good.add("archive/data.pkl", harmless().bytes());
  EXPECT_EQ(scan_bytes(harmless().bytes() + good.bytes()).verdict, Verdict::Unknown);
}

TEST(ScanDamagedZips, AMethodNobodyReads) {
  ZipBuilder zip;
  auto& entry = zip.add("archive/data.pkl", "BZh...");
  entry.local.method = entry.central.method = 12;
  EXPECT_EQ(scan_bytes(zip.bytes()).verdict, Verdict::Malformed);
}

TEST(ScanDamagedZips, ADamagedDeflateStreamIsReadAsFarAsItGoes) {
  ZipBuilder zip;
  auto& entry = zip.add_deflated("archive/data.pkl", attack().bytes() + std::string(100'000, 'x'));
  entry.data.resize(entry.data.size() - 4);
  EXPECT_EQ(scan_bytes(zip.bytes()).verdict, Verdict::Dangerous);
}

}  // namespace
}  // namespace weighbridge::scan_test
