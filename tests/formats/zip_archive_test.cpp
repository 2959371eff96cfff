#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/zip/archive.hpp"
#include "formats/zip/crc32.hpp"
#include "support/zip_builder.hpp"
#include "support/zip_expectations.hpp"

namespace weighbridge::zip {
namespace {

using test::content;
using test::read_archive;
using test::ZipBuilder;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(ZipArchive, ListsEntriesInTheOrderOfTheDirectory) {
  ZipBuilder zip;
  zip.add("m/data.pkl", "pickle");
  zip.add("m/data/0", "01234567");
  zip.add_deflated("m/code.py", std::string(1000, 'x'));
  const Archive archive = read_archive(zip);

  ASSERT_EQ(archive.entries().size(), 3U);
  EXPECT_EQ(archive.entries()[0].name, "m/data.pkl");
  EXPECT_EQ(archive.entries()[1].bytes, 8U);
  EXPECT_EQ(archive.entries()[2].method, Method::Deflated);
  EXPECT_EQ(archive.entries()[2].bytes, 1000U);
  EXPECT_LT(archive.entries()[2].compressed_bytes, 1000U);
  EXPECT_THAT(archive.findings(), IsEmpty());
}

TEST(ZipArchive, FindsEntriesByExactName) {
  ZipBuilder zip;
  for (const char* name : {"m/data/10", "m/data/9", "m/data.pkl", "M/byteorder", "m/version"})
    zip.add(name, name);
  const Archive archive = read_archive(zip);

  for (const Entry& entry : archive.entries()) EXPECT_EQ(archive.find(entry.name), &entry);
  EXPECT_EQ(archive.find("m/byteorder"), nullptr) << "the case must match";
  EXPECT_EQ(archive.find("m/data/1"), nullptr);
  EXPECT_EQ(archive.find(""), nullptr);
}

TEST(ZipArchive, GivesTheContentOfStoredAndDeflatedEntries) {
  ZipBuilder zip;
  zip.add("stored", "some bytes");
  zip.add_deflated("deflated", "some other bytes");
  const Archive archive = read_archive(zip);

  EXPECT_EQ(content(archive, "stored"), "some bytes");
  EXPECT_EQ(content(archive, "deflated"), "some other bytes");
}

TEST(ZipArchive, MapsStoredEntriesWithoutACopy) {
  ZipBuilder zip;
  zip.add("stored", "some bytes");
  const SourcePtr source = zip.source();
  const Archive archive = Archive::read(source, Limits{});

  const auto mapped = archive.open(archive.entries()[0])->map(0, 10);
  const auto whole = source->map(0, source->size());
  ASSERT_TRUE(mapped && whole);
  EXPECT_EQ(mapped->bytes().data(), whole->bytes().data() + archive.entries()[0].data_offset);
}

TEST(ZipArchive, StaysUsableWhenCopiedAndMoved) {
  ZipBuilder zip;
  zip.add("a", "1");  // short enough to live inside a std::string
  Archive original = read_archive(zip);
  const Archive copy = original;
  const Archive moved = std::move(original);

  EXPECT_EQ(content(copy, "a"), "1");
  EXPECT_EQ(content(moved, "a"), "1");
}

TEST(ZipArchive, ReadsWhatTorchWrites) {
  ZipBuilder zip;
  zip.torch_style = true;
  zip.add("archive/data.pkl", "pickle");
  zip.add("archive/byteorder", "little");
  zip.add("archive/data/0", std::string(100, '\1'));
  zip.add("archive/data/1", "");
  zip.add("archive/version", "3\n");
  const Archive archive = read_archive(zip);

  EXPECT_THAT(archive.findings(), IsEmpty());
  EXPECT_EQ(content(archive, "archive/data/0"), std::string(100, '\1'));
  EXPECT_EQ(archive.find("archive/data/0")->data_offset % 64, 0U);
  EXPECT_EQ(content(archive, "archive/version"), "3\n");
}

TEST(ZipArchive, ReadsZip64Entries) {
  ZipBuilder zip;
  zip.add("stored", "some bytes").zip64 = true;
  zip.add_deflated("deflated", "some other bytes").zip64 = true;
  zip.saturate_end = true;
  const Archive archive = read_archive(zip);

  EXPECT_EQ(content(archive, "stored"), "some bytes");
  EXPECT_EQ(content(archive, "deflated"), "some other bytes");
}

TEST(ZipArchive, ReadsMoreEntriesThan16BitsCount) {
  ZipBuilder zip;
  zip.zip64_end = true;
  for (int i = 0; i < 65536; ++i) zip.add(std::to_string(i), "");
  EXPECT_EQ(read_archive(zip).entries().size(), 65536U);
}

TEST(ZipArchive, ReadsAnArchiveWithoutEntries) {
  EXPECT_THAT(read_archive(ZipBuilder{}).entries(), IsEmpty());
}

TEST(ZipArchive, SkipsFolders) {
  ZipBuilder zip;
  zip.add("m/", "").external_attributes = 040755U << 16;
  zip.add("m/data.pkl", "pickle");
  const Archive archive = read_archive(zip);

  ASSERT_EQ(archive.entries().size(), 1U);
  EXPECT_EQ(content(archive, "m/data.pkl"), "pickle");
}

TEST(ZipArchive, LeavesTheChecksumToTheCaller) {
  ZipBuilder zip;
  zip.add("right", "some bytes");
  zip.add("wrong", "some bytes").central.crc32 = 0x12345678;
  zip.add("none", "some bytes").omit_crc = true;
  zip.torch_style = true;
  const Archive archive = read_archive(zip);

  const std::uint32_t crc = compute_crc32(*archive.open(*archive.find("right")));
  EXPECT_EQ(archive.find("right")->crc32, crc);
  EXPECT_EQ(archive.find("wrong")->crc32, 0x12345678U);
  EXPECT_EQ(archive.find("none")->crc32, 0U);
  EXPECT_EQ(content(archive, "wrong"), "some bytes");
}

TEST(ZipArchive, WarnsAboutTrailingBytes) {
  ZipBuilder zip;
  zip.add("a", "1");
  zip.comment = "a comment";
  const std::size_t sound = zip.bytes().size();
  zip.suffix = std::string(50, 'x');
  const Archive archive = read_archive(zip);

  ASSERT_EQ(archive.findings().size(), 1U);
  EXPECT_EQ(archive.findings()[0].code, "TrailingBytes");
  EXPECT_EQ(archive.findings()[0].severity, Severity::Warning);
  EXPECT_EQ(archive.findings()[0].offset, sound);
  EXPECT_EQ(archive.findings()[0].message,
            "50 bytes behind the end of the zip archive (byte 110) are ignored");
}

TEST(LooksLikeZip, NeedsBothASignatureAndAnEndRecord) {
  const auto looks = [](std::string bytes) {
    return looks_like_zip(*memory_source(Buffer::take(std::move(bytes))));
  };
  ZipBuilder zip;
  zip.add("a", "1");
  const std::string bytes = zip.bytes();

  EXPECT_TRUE(looks(bytes));
  EXPECT_TRUE(looks(ZipBuilder{}.bytes()));
  EXPECT_FALSE(looks(bytes.substr(0, bytes.size() - 1))) << "end record cut short";
  EXPECT_FALSE(looks(bytes.substr(0, 20)));
  EXPECT_FALSE(looks("x" + bytes));
  EXPECT_FALSE(looks(""));
  EXPECT_FALSE(looks("PK"));
}

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// Files of a folder of the fixtures with `part` in their names; none when there are no fixtures.
std::vector<std::filesystem::path> fixtures(const char* folder, std::string_view part) {
  std::vector<std::filesystem::path> found;
  const auto path = std::filesystem::path(WEIGHBRIDGE_FIXTURES) / folder;
  if (std::string_view(WEIGHBRIDGE_FIXTURES).empty() || !exists(path)) return found;
  for (const auto& file : std::filesystem::directory_iterator(path)) {
    if (file.path().filename().string().find(part) != std::string::npos) found.push_back(file.path());
  }
  return found;
}

TEST(ZipArchive, ReadsRealCheckpoints) {
  const auto files = fixtures("generated", "zip_");
  if (files.empty()) GTEST_SKIP() << "no fixtures";
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename());
    const Archive archive = Archive::read(memory_source(Buffer::take(file_bytes(file))), Limits{});
    EXPECT_THAT(archive.findings(), IsEmpty());
    for (const Entry& entry : archive.entries()) {
      EXPECT_EQ(compute_crc32(*archive.open(entry)), entry.crc32) << entry.name;
    }
  }
}

TEST(ZipArchive, RefusesRealArchivesWhoseFlagsStopScanners) {
  const auto files = fixtures("malicious", "_0x");
  if (files.empty()) GTEST_SKIP() << "no fixtures";
  for (const auto& file : files) {
    const SourcePtr source = memory_source(Buffer::take(file_bytes(file)));
    test::expect_error(ErrorCode::Unsupported,
                       testing::HasSubstr("entry 'model/config.pkl': not yet supported"),
                       [&] { static_cast<void>(Archive::read(source, Limits{})); });
  }
}

}  // namespace
}  // namespace weighbridge::zip
