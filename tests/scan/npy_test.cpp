#include <gtest/gtest.h>

#include "scan/support.hpp"

namespace weighbridge::scan_test {
namespace {

std::string npy(std::string_view descr, std::string_view content, char version = 1) {
  const std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': (1,), }}\n", descr);
  const std::string length = version == 1 ? test::le16(header.size()) : test::le32(header.size());
  return std::string("\x93NUMPY") + version + '\0' + length + header + std::string(content);
}

TEST(ScanNpy, NumbersAreClean) {
  const ScanReport report = scan_bytes(npy("<f4", "\x80\x02\0\0"), "a.npy");
  EXPECT_EQ(report.verdict, Verdict::Clean);
  EXPECT_EQ(report.format, "npy");
  EXPECT_EQ(report.pickles, 0U);
}

TEST(ScanNpy, ObjectsAreAPickle) {
  for (const char version : {'\1', '\2', '\3'}) {
    const ScanReport report = scan_bytes(npy("|O", attack().bytes(), version), "a.npy");
    EXPECT_EQ(report.verdict, Verdict::Dangerous);
    ASSERT_NE(find_global(report, "system"), nullptr);
    EXPECT_EQ(find_global(report, "system")->place, "a.npy!objects");
  }
  EXPECT_EQ(scan_bytes(npy("|O", harmless().bytes())).verdict, Verdict::Clean);
  EXPECT_EQ(scan_bytes(npy("|O", "\xFF")).verdict, Verdict::Malformed);
}

TEST(ScanNpy, AHeaderThatDoesNotFitIsMalformed) {
  EXPECT_EQ(scan_bytes(std::string("\x93NUMPY\1\0\xFF\xFF", 10)).verdict, Verdict::Malformed);
  EXPECT_EQ(scan_bytes("\x93NUMPY").verdict, Verdict::Malformed);
}

}  // namespace
}  // namespace weighbridge::scan_test
