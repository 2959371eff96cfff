#include <gtest/gtest.h>

#include "scan/support.hpp"

namespace weighbridge::scan_test {
namespace {

/// A list of ten mentions of the last list, `levels` times.
Stream laughs(int levels) {
  Stream stream = Stream().repeat(static_cast<std::size_t>(levels), Stream().mark()).string("'lol'");
  for (int level = 0; level < levels; ++level) stream.repeat(9, Stream().dup()).list();
  return stream;
}

TEST(ScanExpansion, ABillionLaughsAreMalformed) {
  const ScanReport report = scan_stream(laughs(10).stop());
  EXPECT_EQ(report.verdict, Verdict::Malformed);
  EXPECT_NE(find_finding(report, "ExponentialExpansion"), nullptr);
}

TEST(ScanExpansion, AMillionAreCommonSharing) {
  EXPECT_EQ(scan_stream(laughs(6).stop()).verdict, Verdict::Clean);
}

TEST(ScanExpansion, NumbersBeyond64BitsSaturate) {
  EXPECT_NE(find_finding(scan_stream(laughs(60).stop()), "ExponentialExpansion"), nullptr);
}

TEST(ScanExpansion, ArgumentsOfCallsCount) {
  Stream stream = Stream().proto(2).none();
  for (int level = 0; level < 60; ++level) {
    stream.binput(0).pop().global("mine", "Net").binget(0).binget(0).tuple2().reduce();
  }
  EXPECT_NE(find_finding(scan_stream(stream.stop()), "ExponentialExpansion"), nullptr);
}

TEST(ScanExpansion, AListThatContainsItselfIsCut) {
  EXPECT_EQ(scan_stream(Stream().proto(2).empty_list().dup().append().stop()).verdict, Verdict::Clean);
}

TEST(ScanExpansion, DeepNestingTakesNoStack) {
  Limits limits;
  const ScanReport report =
      scan_stream(Stream().proto(2).none().repeat(1'000'000, Stream().tuple1()).stop(), limits);
  EXPECT_EQ(report.verdict, Verdict::Clean);
}

}  // namespace
}  // namespace weighbridge::scan_test
