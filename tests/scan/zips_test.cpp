#include <gtest/gtest.h>

#include "scan/support.hpp"

namespace weighbridge::scan_test {
namespace {

ScanReport scan_zip(const ZipBuilder& zip, const Limits& limits = {}) {
  return scan_bytes(zip.bytes(), "model.zip", limits);
}

TEST(ScanZips, ACheckpointIsCleanAndNamed) {
  ZipBuilder zip;
  zip.add("archive/data.pkl", harmless().bytes());
  zip.add("archive/data/0", std::string(64, '\0'));
  zip.add("archive/version", "3\n");
  const ScanReport report = scan_zip(zip);
  EXPECT_EQ(report.verdict, Verdict::Clean);
  EXPECT_EQ(report.format, "torch-zip");
  EXPECT_EQ(report.pickles, 1U);
  EXPECT_TRUE(report.findings.empty());
}

TEST(ScanZips, ThePlaceNamesEveryContainer) {
  ZipBuilder inner;
  inner.add("archive/data.pkl", attack().bytes());
  ZipBuilder outer;
  outer.add_deflated("policy.pth", inner.bytes());
  const ScanReport report = scan_zip(outer);
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  ASSERT_NE(find_global(report, "system"), nullptr);
  EXPECT_EQ(find_global(report, "system")->place, "model.zip!policy.pth!archive/data.pkl");
}

// CVE-2025-1889: torch.load of the named entry runs it, whatever it is called.
TEST(ScanZips, PicklesUnderOtherNamesAreFound) {
  ZipBuilder zip;
  zip.add("archive/data.pkl", harmless().bytes());
  zip.add("archive/config.p", attack().bytes());
  EXPECT_EQ(scan_zip(zip).verdict, Verdict::Dangerous);
  ZipBuilder text;
  text.add("archive/readme.txt", attack().bytes());
  const ScanReport report = scan_zip(text);
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_NE(find_finding(report, "HiddenPickle"), nullptr);
}

// CVE-2025-10156: torch does not look at the checksum.
TEST(ScanZips, AWrongChecksumStopsNothing) {
  ZipBuilder zip;
  zip.add("archive/data.pkl", attack().bytes()).crc32 = 1;
  const ScanReport report = scan_zip(zip);
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_NE(find_finding(report, "CrcMismatch"), nullptr);

  ZipBuilder quiet;
  quiet.add("archive/data.pkl", harmless().bytes()).crc32 = 1;
  EXPECT_EQ(scan_zip(quiet).verdict, Verdict::Malformed);
  ZipBuilder none;
  none.add("archive/data.pkl", harmless().bytes()).omit_crc = true;
  EXPECT_EQ(scan_zip(none).verdict, Verdict::Clean);
}

TEST(ScanZips, TensorsThatBeginLikePicklesAreTensors) {
  ZipBuilder zip;
  zip.add("archive/data.pkl", harmless().bytes());
  zip.add("archive/data/0", "\x80\x02\xFF\xFF\xFF\xFF");
  zip.add("archive/data/1", "(((((((\xFF");
  const ScanReport report = scan_zip(zip);
  EXPECT_EQ(report.verdict, Verdict::Clean);
  EXPECT_EQ(report.pickles, 1U);
}

TEST(ScanZips, ABrokenDataPickleIsMalformed) {
  ZipBuilder zip;
  zip.add("archive/data.pkl", "\x80\x02\xFF");
  EXPECT_EQ(scan_zip(zip).verdict, Verdict::Malformed);
}

TEST(ScanZips, AnArchiveOfOtherThingsIsNoCheckpoint) {
  ZipBuilder zip;
  zip.add("readme.md", "# Hello\n");
  EXPECT_EQ(scan_zip(zip).verdict, Verdict::NotCheckpoint);
}

TEST(ScanZips, ArchivesWithinArchivesHaveALimit) {
  std::string bytes = attack().bytes();
  for (int depth = 0; depth < 8; ++depth) {
    ZipBuilder zip;
    zip.add("inner", bytes);
    bytes = zip.bytes();
  }
  const ScanReport report = scan_bytes(bytes);
  EXPECT_EQ(report.verdict, Verdict::Malformed);
  EXPECT_NE(find_finding(report, "LimitExceeded"), nullptr);
  Limits deep;
  deep.archive_depth = 9;
  EXPECT_EQ(scan_bytes(bytes, "model.zip", deep).verdict, Verdict::Dangerous);
}

TEST(ScanZips, SourcesOfAPackageAreUnknown) {
  ZipBuilder zip;
  zip.add("pkg/.data/extern_modules", "torch\n");
  zip.add("pkg/model/model.pkl", harmless().bytes());
  zip.add("pkg/mine.py", "print(1)\n");
  const ScanReport report = scan_zip(zip);
  EXPECT_EQ(report.verdict, Verdict::Unknown);
  EXPECT_EQ(report.format, "torch-package");
}

TEST(ScanZips, ArchivesInARowAreEachRead) {
  ZipBuilder first;
  first.add("archive/data.pkl", harmless().bytes());
  ZipBuilder second;
  second.add("archive/data.pkl", attack().bytes());
  EXPECT_EQ(scan_bytes(first.bytes() + first.bytes()).verdict, Verdict::Clean);
  const ScanReport report = scan_bytes(first.bytes() + second.bytes());
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_EQ(report.format, "zips");
}

TEST(ScanZips, LongNamesAreCutInTheReport) {
  ZipBuilder zip;
  zip.add(std::string(60'000, 'n') + ".pkl", attack().bytes());
  const ScanReport report = scan_zip(zip);
  ASSERT_NE(find_global(report, "system"), nullptr);
  EXPECT_EQ(find_global(report, "system")->place, "model.zip!" + std::string(255, 'n'));
}

TEST(ScanZips, ABombIsALimit) {
  ZipBuilder zip;
  zip.add_deflated("archive/data.pkl", std::string(std::size_t{4} << 20, 'N'));
  Limits limits;
  limits.inflated_floor = 1 << 20;
  const ScanReport report = scan_zip(zip, limits);
  EXPECT_EQ(report.verdict, Verdict::Malformed);
  EXPECT_NE(find_finding(report, "LimitExceeded"), nullptr);
}

}  // namespace
}  // namespace weighbridge::scan_test
