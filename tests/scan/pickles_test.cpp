#include <gtest/gtest.h>

#include "scan/support.hpp"

namespace weighbridge::scan_test {
namespace {

TEST(ScanPickles, DataAloneIsClean) {
  const ScanReport report = scan_stream(harmless());
  EXPECT_EQ(report.verdict, Verdict::Clean);
  EXPECT_EQ(report.format, "pickle");
  EXPECT_EQ(report.pickles, 1U);
  EXPECT_TRUE(report.globals.empty());
}

TEST(ScanPickles, KnownNamesAreListedAndClean) {
  const ScanReport report =
      scan_stream(Stream().proto(2).global("collections", "OrderedDict").empty_tuple().reduce().stop());
  EXPECT_EQ(report.verdict, Verdict::Clean);
  ASSERT_EQ(report.globals.size(), 1U);
  EXPECT_EQ(report.globals[0].module, "collections");
  EXPECT_EQ(report.globals[0].offset, 2U);
  EXPECT_EQ(report.globals[0].place, "file.pkl");
}

TEST(ScanPickles, UnknownNamesAreUnknownAndSayWhy) {
  const ScanReport report =
      scan_stream(Stream().proto(2).global("mine", "Net").empty_tuple().reduce().stop());
  EXPECT_EQ(report.verdict, Verdict::Unknown);
  ASSERT_NE(find_global(report, "Net"), nullptr);
  EXPECT_EQ(find_global(report, "Net")->reason, "not known; a loader imports its module and calls it");
}

TEST(ScanPickles, DangerousNamesAreDangerousInEveryProtocol) {
  const auto verdict = [](const Stream& stream) { return scan_stream(stream).verdict; };
  EXPECT_EQ(verdict(attack()), Verdict::Dangerous);
  EXPECT_EQ(verdict(Stream().global("posix", "system").mark().string("'id'").tuple().reduce().stop()),
            Verdict::Dangerous);
  EXPECT_EQ(verdict(Stream().mark().string("'id'").inst("os", "system").stop()), Verdict::Dangerous);
  EXPECT_EQ(verdict(Stream().mark().global("os", "system").binunicode("id").obj().stop()),
            Verdict::Dangerous);
  EXPECT_EQ(verdict(Stream().proto(2).global("subprocess", "Popen").empty_tuple().newobj().stop()),
            Verdict::Dangerous);
  EXPECT_EQ(
      verdict(Stream().proto(4).text("os").text("system").stack_global().text("id").tuple1().reduce().stop()),
      Verdict::Dangerous);
}

TEST(ScanPickles, AMereMentionOfADangerousNameIsDangerous) {
  EXPECT_EQ(scan_stream(Stream().proto(2).global("os", "system").pop().none().stop()).verdict,
            Verdict::Dangerous);
}

TEST(ScanPickles, UsesOfOneNameAreCounted) {
  const ScanReport report =
      scan_stream(Stream().proto(2).global("m", "A").global("m", "A").global("m", "B").tuple3().stop());
  ASSERT_EQ(report.globals.size(), 2U);
  EXPECT_EQ(report.globals[0].uses, 2U);
  EXPECT_EQ(report.globals[1].uses, 1U);
}

TEST(ScanPickles, ASecondPickleIsReadToo) {
  const ScanReport report = scan_bytes(harmless().bytes() + attack().bytes());
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_EQ(report.pickles, 2U);
  ASSERT_NE(find_global(report, "system"), nullptr);
  EXPECT_EQ(find_global(report, "system")->offset, harmless().size() + 2);
  EXPECT_NE(find_finding(report, "SeveralPickles"), nullptr);
}

TEST(ScanPickles, TrailingBytesAreNoted) {
  const ScanReport report = scan_bytes(harmless().bytes() + std::string(8, '\0'));
  EXPECT_EQ(report.verdict, Verdict::Clean);
  ASSERT_NE(find_finding(report, "TrailingBytes"), nullptr);
  EXPECT_EQ(find_finding(report, "TrailingBytes")->offset, harmless().size());
}

TEST(ScanPickles, AMillionPicklesAreTooMany) {
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes += "N.";
  const ScanReport report = scan_bytes(bytes);
  EXPECT_EQ(report.verdict, Verdict::Malformed);
  EXPECT_NE(find_finding(report, "LimitExceeded"), nullptr);
}

// What a real unpickler ran before the break counts: dangerous beats malformed.
TEST(ScanPickles, ABreakBehindAnAttackDoesNotHideIt) {
  std::string bytes = attack().bytes();
  bytes.back() = '\xFF';
  const ScanReport report = scan_bytes(bytes);
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_NE(find_finding(report, "MalformedPickle"), nullptr);
}

TEST(ScanPickles, ABrokenStreamIsMalformed) {
  std::string bytes = harmless().bytes();
  bytes.pop_back();
  EXPECT_EQ(scan_bytes(bytes).verdict, Verdict::Malformed);
}

TEST(ScanPickles, ABrokenStreamWithoutProtoCountsOnceItHasCalled) {
  const Stream text = Stream().global("lass M(Module):", "  __parameters__ = []").raw("  training : bool");
  EXPECT_EQ(scan_stream(text).verdict, Verdict::Malformed);
  EXPECT_EQ(scan_bytes(text.bytes(), "code.py").verdict, Verdict::NotCheckpoint);
  const Stream called = Stream().global("mine", "Net").empty_tuple().reduce().raw("\xFF");
  EXPECT_EQ(scan_bytes(called.bytes(), "code.py").verdict, Verdict::Malformed);
}

TEST(ScanPickles, ExtensionsAreDangerous) {
  for (const Stream& stream :
       {Stream().proto(2).ext1(1), Stream().proto(2).ext2(1), Stream().proto(2).ext4(1)}) {
    const ScanReport report = scan_bytes(Stream(stream).stop().bytes());
    EXPECT_EQ(report.verdict, Verdict::Dangerous);
    EXPECT_NE(find_finding(report, "ExtensionRegistry"), nullptr);
  }
}

TEST(ScanPickles, NamesThatAreNoTextAreDangerous) {
  const ScanReport report = scan_stream(Stream().proto(4).text("os").binint1(7).stack_global().stop());
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_NE(find_finding(report, "ComputedName"), nullptr);
  EXPECT_EQ(scan_stream(Stream().proto(4).stack_global().stop()).verdict, Verdict::Malformed);
}

// BUILD of a module or class changes it for the whole process: sys.modules, torch._utils.
TEST(ScanPickles, ANewStateForAModuleOrClassIsDangerous) {
  const ScanReport report =
      scan_stream(Stream().proto(2).global("torch", "_utils").empty_dict().build().stop());
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  ASSERT_NE(find_global(report, "_utils"), nullptr);
  EXPECT_EQ(find_global(report, "_utils")->reason, "gets a new state, for everyone that uses it");
}

TEST(ScanPickles, LimitsAreMalformed) {
  Limits limits;
  limits.pickle_nodes = 10;
  const ScanReport report = scan_stream(Stream().proto(2).repeat(100, Stream().none()).stop(), limits);
  EXPECT_EQ(report.verdict, Verdict::Malformed);
  EXPECT_NE(find_finding(report, "LimitExceeded"), nullptr);
}

TEST(ScanPickles, MoreNamesThanTheLimitStillCount) {
  Limits limits;
  limits.findings = 3;
  Stream stream = Stream().proto(2);
  for (int i = 0; i < 10; ++i) stream.global("mine", fmt::format("C{}", i)).pop();
  const ScanReport report = scan_stream(stream.global("os", "system").stop(), limits);
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_EQ(report.globals.size(), 4U);
  EXPECT_EQ(report.omitted, 7U);
}

TEST(ScanPickles, EveryPickleOfALegacyStreamIsRead) {
  const Stream magic = Stream().proto(2).long1({"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10}).stop();
  const Stream version = Stream().proto(2).binint2(1001).stop();
  const Stream keys = Stream().proto(2).empty_list().stop();
  const std::string start = magic.bytes() + version.bytes() + harmless().bytes();
  EXPECT_EQ(scan_bytes(start + harmless().bytes() + keys.bytes()).verdict, Verdict::Clean);
  EXPECT_EQ(scan_bytes(start + harmless().bytes() + keys.bytes()).format, "torch-legacy");
  EXPECT_EQ(scan_bytes(start + attack().bytes() + keys.bytes()).verdict, Verdict::Dangerous);
  EXPECT_EQ(scan_bytes(start + harmless().bytes() + attack().bytes()).verdict, Verdict::Dangerous);
  EXPECT_EQ(scan_bytes(start).verdict, Verdict::Malformed);
}

// The magic number of a legacy stream, computed: scanners that compare it give up.
TEST(ScanPickles, AComputedMagicNumberIsNoWayAround) {
  const Stream magic = Stream()
                           .proto(2)
                           .global("__builtin__", "eval")
                           .binunicode("0x1950A86A20F9469CFC6C")
                           .tuple1()
                           .reduce()
                           .stop();
  const ScanReport report = scan_bytes(magic.bytes() + harmless().bytes() + attack().bytes());
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_NE(find_global(report, "eval"), nullptr);
  EXPECT_NE(find_global(report, "system"), nullptr);
}

TEST(ScanPickles, LookAlikeNamesAreUnknown) {
  EXPECT_EQ(scan_stream(Stream().proto(2).global("torch._utils\u200b", "_rebuild_tensor").stop()).verdict,
            Verdict::Unknown);
  EXPECT_EQ(scan_stream(Stream().proto(2).global("torch . _utils", "_rebuild_tensor").stop()).verdict,
            Verdict::Unknown);
}

}  // namespace
}  // namespace weighbridge::scan_test
