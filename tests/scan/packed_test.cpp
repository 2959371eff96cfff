#include <gtest/gtest.h>

#include "scan/support.hpp"

namespace weighbridge::scan_test {
namespace {

using std::string_literals::operator""s;

const std::string kSevenZip = "7z\xBC\xAF\x27\x1C\0\4"s;

TEST(ScanPacked, APackingIsNoCheckpoint) {
  const ScanReport report = scan_bytes(kSevenZip + std::string(100, 'x'), "photos.7z");
  EXPECT_EQ(report.verdict, Verdict::NotCheckpoint);
  EXPECT_EQ(report.format, "7z");
}

// nullifAI
TEST(ScanPacked, APackingNamedLikeACheckpointIsMalformed) {
  for (const char* name : {"model.pt", "MODEL.BIN", "weights.pkl"}) {
    EXPECT_EQ(scan_bytes(kSevenZip + std::string(100, 'x'), name).verdict, Verdict::Malformed) << name;
  }
}

TEST(ScanPacked, StoredPicklesAreFound) {
  const ScanReport report = scan_bytes(kSevenZip + "header" + attack().bytes() + "rest", "photos.7z");
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  ASSERT_NE(find_global(report, "system"), nullptr);
  EXPECT_EQ(find_global(report, "system")->offset, kSevenZip.size() + 8);
}

TEST(ScanPacked, BytesThatBeginLikePicklesAreNone) {
  const ScanReport report = scan_bytes(kSevenZip + "\x80\2\x80\3\x80\4\x80\5N", "photos.7z");
  EXPECT_EQ(report.verdict, Verdict::NotCheckpoint);
  EXPECT_EQ(report.pickles, 0U);
}

// Each place would run on through all that follow it.
TEST(ScanPacked, PlacesThatRunIntoEachOtherAreALimit) {
  const Stream starts = Stream().repeat(std::size_t{4} << 20, Stream().proto(2));
  const ScanReport report = scan_bytes(kSevenZip + starts.bytes(), "photos.7z");
  EXPECT_EQ(report.verdict, Verdict::Malformed);
  EXPECT_NE(find_finding(report, "LimitExceeded"), nullptr);
}

}  // namespace
}  // namespace weighbridge::scan_test
