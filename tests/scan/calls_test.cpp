#include <gtest/gtest.h>

#include "scan/support.hpp"

namespace weighbridge::scan_test {
namespace {

TEST(ScanCalls, AFoldedGetattrIsNotDangerous) {
  const ScanReport report = scan_stream(Stream()
                                            .proto(2)
                                            .global("__builtin__", "getattr")
                                            .global("mine", "Outer")
                                            .binunicode("Inner")
                                            .tuple2()
                                            .reduce()
                                            .stop());
  EXPECT_EQ(report.verdict, Verdict::Unknown);
  EXPECT_NE(find_global(report, "Outer.Inner"), nullptr);
}

TEST(ScanCalls, GetattrBeyondThatIsDangerous) {
  const auto getattr_of = [](const Stream& object, std::string_view name) {
    return Stream().global("__builtin__", "getattr").raw(object.bytes()).binunicode(name).tuple2().reduce();
  };
  const Stream inner = getattr_of(Stream().global("mine", "Outer"), "Inner");
  EXPECT_EQ(scan_stream(getattr_of(inner, "deep").stop()).verdict, Verdict::Dangerous);
  EXPECT_EQ(scan_stream(getattr_of(Stream().global("os", "path"), "os").stop()).verdict, Verdict::Dangerous);
  EXPECT_EQ(scan_stream(getattr_of(Stream().empty_list(), "append").stop()).verdict, Verdict::Dangerous);
}

TEST(ScanCalls, AComputedCallableIsDangerous) {
  const ScanReport report = scan_stream(
      Stream().proto(2).global("mine", "make").empty_tuple().reduce().empty_tuple().reduce().stop());
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_NE(find_finding(report, "ComputedCallable"), nullptr);
}

TEST(ScanCalls, AComputedRebuildFunctionIsDangerous) {
  const Stream computed = Stream().global("mine", "make").empty_tuple().reduce();
  const ScanReport report = scan_stream(Stream()
                                            .proto(2)
                                            .global("torch._tensor", "_rebuild_from_type_v2")
                                            .mark()
                                            .raw(computed.bytes())
                                            .none()
                                            .empty_tuple()
                                            .none()
                                            .tuple()
                                            .reduce()
                                            .stop());
  EXPECT_NE(find_finding(report, "ComputedCallable"), nullptr);
}

TEST(ScanCalls, ClassesOfOldModulesArePersistentAndNoComputedCallables) {
  const Stream cls = Stream()
                         .mark()
                         .binunicode("module")
                         .global("vdsr", "Net")
                         .binunicode("vdsr.py")
                         .binunicode("class Net: pass")
                         .tuple()
                         .binpersid();
  const ScanReport report = scan_stream(Stream().proto(2).raw(cls.bytes()).empty_tuple().newobj().stop());
  EXPECT_EQ(report.verdict, Verdict::Unknown);
  EXPECT_NE(find_finding(report, "EmbeddedSource"), nullptr);
}

TEST(ScanCalls, CodeGivenToAnUnknownNameIsDangerous) {
  const auto call = [](std::string_view module, std::string_view text) {
    return scan_stream(Stream().proto(2).global(module, "Thing").binunicode(text).tuple1().reduce().stop());
  };
  EXPECT_EQ(call("mine", "__import__('os').system('id')").verdict, Verdict::Dangerous);
  EXPECT_NE(find_finding(call("mine", "eval(x)"), "CodeAsArgument"), nullptr);
  EXPECT_EQ(call("mine", "evaluation of the model").verdict, Verdict::Unknown);
  EXPECT_EQ(call("sklearn.svm", "__import__('os')").verdict, Verdict::Clean);
}

TEST(ScanCalls, TextAloneIsNoCall) {
  EXPECT_EQ(scan_stream(Stream().proto(2).binunicode("__import__('os').system('id')").stop()).verdict,
            Verdict::Clean);
  EXPECT_EQ(scan_stream(Stream().proto(3).short_binbytes(attack().bytes()).stop()).verdict, Verdict::Clean);
}

TEST(ScanCalls, BytesThatTorchUnpicklesAreLookedInto) {
  const ScanReport report = scan_stream(Stream()
                                            .proto(3)
                                            .global("torch.storage", "_load_from_bytes")
                                            .binbytes(attack().bytes())
                                            .tuple1()
                                            .reduce()
                                            .stop());
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  ASSERT_NE(find_global(report, "system"), nullptr);
  EXPECT_TRUE(find_global(report, "system")->place.starts_with("file.pkl!_load_from_bytes@"));
}

TEST(ScanCalls, StreamsWithinStreamsHaveALimit) {
  Stream stream = attack();
  for (int depth = 0; depth < 10; ++depth) {
    stream = Stream()
                 .proto(3)
                 .global("torch.storage", "_load_from_bytes")
                 .binbytes(stream.bytes())
                 .tuple1()
                 .reduce()
                 .stop();
  }
  const ScanReport report = scan_stream(stream);
  EXPECT_EQ(report.verdict, Verdict::Malformed);
  EXPECT_NE(find_finding(report, "LimitExceeded"), nullptr);
}

TEST(ScanCalls, OddEncodingsAreUnknown) {
  const auto encode = [](std::string_view encoding) {
    return scan_stream(Stream()
                           .proto(2)
                           .global("_codecs", "encode")
                           .binunicode("abc")
                           .binunicode(encoding)
                           .tuple2()
                           .reduce()
                           .stop());
  };
  EXPECT_EQ(encode("latin1").verdict, Verdict::Clean);
  EXPECT_EQ(encode("rot13").verdict, Verdict::Unknown);
}

}  // namespace
}  // namespace weighbridge::scan_test
