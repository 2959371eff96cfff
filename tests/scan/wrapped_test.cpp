#include <gtest/gtest.h>

#include "scan/support.hpp"
#include "support/compressors.hpp"
#include "support/tar_builder.hpp"

namespace weighbridge::scan_test {
namespace {

using compressed::Codec;
using test::compress;
using test::TarBuilder;

constexpr std::array kCodecs = {Codec::Zlib, Codec::Gzip, Codec::Bzip2,  Codec::Xz,
                                Codec::Lzma, Codec::Lz4,  Codec::JoblibZ};

TEST(ScanWrapped, EveryCodecIsLookedInto) {
  for (const Codec codec : kCodecs) {
    const std::string name(compressed::codec_name(codec));
    const ScanReport evil = scan_bytes(compress(codec, attack().bytes()), "model.pkl.gz");
    EXPECT_EQ(evil.verdict, Verdict::Dangerous) << name;
    EXPECT_EQ(evil.format, name + ", pickle");
    ASSERT_NE(find_global(evil, "system"), nullptr);
    EXPECT_EQ(find_global(evil, "system")->place, "model.pkl.gz!" + name);
    EXPECT_EQ(scan_bytes(compress(codec, harmless().bytes())).verdict, Verdict::Clean) << name;
  }
}

TEST(ScanWrapped, CompressedTextIsNoCheckpoint) {
  EXPECT_EQ(scan_bytes(compress(Codec::Gzip, "some text")).verdict, Verdict::NotCheckpoint);
}

TEST(ScanWrapped, ABrokenPickleInsideIsMalformed) {
  std::string bytes = harmless().bytes();
  bytes.pop_back();
  EXPECT_EQ(scan_bytes(compress(Codec::Gzip, bytes)).verdict, Verdict::Malformed);
}

TEST(ScanWrapped, DamagedCompressionIsMalformed) {
  for (const Codec codec : kCodecs) {
    std::string bytes = compress(codec, attack().bytes());
    bytes.resize(bytes.size() - 3);
    EXPECT_GE(scan_bytes(bytes).verdict, Verdict::Malformed) << compressed::codec_name(codec);
  }
}

TEST(ScanWrapped, TensorsThatBeginLikeZlibAreTensors) {
  ZipBuilder zip;
  zip.add("archive/data.pkl", harmless().bytes());
  zip.add("archive/data/0", "\x78\x9C weights");
  EXPECT_EQ(scan_bytes(zip.bytes()).verdict, Verdict::Clean);
}

TEST(ScanWrapped, CompressionHasALimit) {
  std::string bytes = attack().bytes();
  for (int depth = 0; depth < 8; ++depth) bytes = compress(Codec::Gzip, bytes);
  EXPECT_EQ(scan_bytes(bytes).verdict, Verdict::Malformed);
}

TEST(ScanWrapped, MembersOfTarArchivesAreLookedInto) {
  TarBuilder tar;
  tar.add("config.json", "{}");
  tar.add("weights.th", attack().bytes());
  const ScanReport report = scan_bytes(compress(Codec::Gzip, tar.bytes()), "model.tar.gz");
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_EQ(report.format, "gzip, tar");
  EXPECT_EQ(find_global(report, "system")->place, "model.tar.gz!gzip!weights.th");
}

TEST(ScanWrapped, ATarArchiveThatLiesIsMalformed) {
  TarBuilder tar;
  tar.add("weights.th", harmless().bytes());
  tar.add("link", "").type = '2';
  EXPECT_EQ(scan_bytes(tar.bytes()).verdict, Verdict::Malformed);
}

// CVE-2025-32434 went through such files: the tables hold pickles between numbers.
TEST(ScanWrapped, PicklesInTheTablesOfOldTorchFilesAreFound) {
  const std::string zero = Stream().proto(2).binint1(0).stop().bytes();
  const std::string one = Stream().proto(2).binint1(1).stop().bytes();
  const std::string no_views = Stream().proto(2).empty_list().stop().bytes();
  const auto build = [&](const std::string& storages) {
    TarBuilder tar;
    tar.add("sys_info", harmless().bytes());
    tar.add("pickle", harmless().bytes());
    tar.add("tensors", zero);
    tar.add("storages", storages);
    return scan_bytes(tar.bytes(), "old.pth");
  };
  EXPECT_EQ(build(zero + no_views).verdict, Verdict::Clean);
  EXPECT_EQ(build(zero + no_views).format, "torch-tar");
  EXPECT_EQ(build(one + attack().bytes() + no_views).verdict, Verdict::Dangerous);
  const std::string storage =
      Stream().proto(2).binint1(7).binunicode("cpu").global("torch", "FloatStorage").tuple3().stop().bytes() +
      test::le64(1) + "1234";
  EXPECT_EQ(build(one + storage + no_views).verdict, Verdict::Clean);
  EXPECT_EQ(build(one + storage + attack().bytes()).verdict, Verdict::Dangerous);
}

}  // namespace
}  // namespace weighbridge::scan_test
