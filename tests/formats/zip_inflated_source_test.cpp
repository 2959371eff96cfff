#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/zip/inflated_source.hpp"
#include "support/zip_builder.hpp"
#include "support/zip_expectations.hpp"

namespace weighbridge::zip {
namespace {

using test::content;
using test::deflate_raw;
using test::expect_error;
using test::read_archive;
using test::read_text;
using test::ZipBuilder;
using test::ZipEntry;
using testing::HasSubstr;

/// Text that deflates to about half and differs everywhere.
std::string varied_text(std::size_t bytes) {
  std::mt19937 random(7);
  std::string text(bytes, '\0');
  for (char& letter : text) letter = static_cast<char>('a' + random() % 16);
  return text;
}

/// Counts the bytes read from another source, which it does not map.
class CountingSource final : public ByteSource {
 public:
  explicit CountingSource(std::string bytes) : parent_(memory_source(Buffer::take(std::move(bytes)))) {}

  std::uint64_t size() const override { return parent_->size(); }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    bytes_read_ += out.size();
    parent_->read_at(offset, out);
  }
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  SourcePtr parent_;
  mutable std::atomic<std::uint64_t> bytes_read_ = 0;
};

struct Deflated {
  explicit Deflated(const std::string& text)
      : compressed(std::make_shared<CountingSource>(deflate_raw(text))),
        source(inflated_source(compressed, {.name = "a",
                                            .method = Method::Deflated,
                                            .bytes = text.size(),
                                            .compressed_bytes = compressed->size()})) {}

  std::shared_ptr<CountingSource> compressed;
  SourcePtr source;
};

TEST(InflatedSource, ReadsFrontToBackInOnePass) {
  const std::string text = varied_text(5'000'000);
  const Deflated deflated(text);
  std::string result;
  for (std::uint64_t offset = 0; offset < text.size(); offset += 99'991) {
    result += read_text(*deflated.source, offset, std::min<std::uint64_t>(99'991, text.size() - offset));
  }
  EXPECT_TRUE(result == text);
  EXPECT_EQ(deflated.compressed->bytes_read(), deflated.compressed->size());
}

TEST(InflatedSource, ReadsAtAnyOffset) {
  const std::string text = varied_text(12'000'000);
  const Deflated deflated(text);
  std::mt19937 random(3);
  for (int i = 0; i < 30; ++i) {
    const std::uint64_t offset = random() % text.size();
    const std::uint64_t length = std::min<std::uint64_t>(random() % 100'000, text.size() - offset);
    ASSERT_TRUE(read_text(*deflated.source, offset, length) == text.substr(offset, length)) << offset;
  }
}

TEST(InflatedSource, DoesNotBeginAgainForEveryJump) {
  const std::string text = varied_text(16'000'000);
  const Deflated deflated(text);
  for (int i = 0; i < 10; ++i) {
    read_text(*deflated.source, text.size() - 1, 1);
    read_text(*deflated.source, 0, 1);
  }
  EXPECT_LT(deflated.compressed->bytes_read(), 5 * deflated.compressed->size());
}

TEST(InflatedSource, GivesConcurrentReadersTheSameBytes) {
  const std::string text = varied_text(6'000'000);
  const Deflated deflated(text);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (std::size_t reader = 0; reader < 4; ++reader) {
    readers.emplace_back([&, reader] {
      for (std::size_t i = 0; i < 20; ++i) {
        const std::size_t offset = (reader * 1'999'999 + i * 397'001) % (text.size() - 5'000);
        if (read_text(*deflated.source, offset, 5'000) != text.substr(offset, 5'000)) ++wrong;
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST(InflatedSource, RefusesReadsBehindItsEnd) {
  const Deflated deflated("some bytes");
  EXPECT_EQ(deflated.source->size(), 10U);
  EXPECT_EQ(read_text(*deflated.source, 10, 0), "");
  expect_error(ErrorCode::IoError, HasSubstr("leaves the source of 10 bytes"),
               [&] { read_text(*deflated.source, 5, 6); });
}

TEST(InflatedSource, ReadsAnEmptyEntry) {
  ZipBuilder zip;
  zip.add_deflated("a", "");
  EXPECT_EQ(content(read_archive(zip), "a"), "");
}

void expect_damage(const ZipBuilder& zip, const std::string& message) {
  const Archive archive = read_archive(zip);
  for (int attempt = 0; attempt < 2; ++attempt) {  // a failed read changes nothing
    expect_error(ErrorCode::MalformedArchive, HasSubstr(message), [&] { content(archive, "a"); });
  }
}

TEST(InflatedSource, RefusesAStreamShorterThanTheDirectorySays) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add_deflated("a", "0123456789");
  entry.bytes = 16;
  expect_damage(zip, "entry 'a': the deflated data gives 10 bytes, 16 needed");
}

TEST(InflatedSource, RefusesAStreamLongerThanTheDirectorySays) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add_deflated("a", "0123456789");
  entry.bytes = 8;
  expect_damage(zip, "gives more than the 8 bytes needed");
  entry.bytes = 0;
  expect_damage(zip, "gives more than the 0 bytes needed");
}

TEST(InflatedSource, RefusesBytesBehindTheStream) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add_deflated("a", "0123456789");
  const std::size_t sound = entry.data.size();
  entry.data += "hidden";
  expect_damage(zip, fmt::format("ends after {} of {} compressed bytes", sound, sound + 6));
}

TEST(InflatedSource, RefusesAStreamThatIsCutOff) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add_deflated("a", varied_text(1000));
  entry.data.resize(entry.data.size() / 2);
  expect_damage(zip, "the deflated data is cut off after giving");
}

TEST(InflatedSource, RefusesAStreamWithoutAnEnd) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add("a", "");
  entry.method = 8;
  entry.data = std::string("\0\4\0\xFB\xFF", 5) + "data";  // one stored block that is not the last
  entry.bytes = 4;
  expect_damage(zip, "cut off after giving 4 bytes");
}

TEST(InflatedSource, RefusesBytesThatAreNoDeflate) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add("a", std::string(10, '\xFF'));
  entry.method = 8;
  expect_damage(zip, "entry 'a': cannot decode the deflated data: invalid block type");
}

TEST(InflatedSource, RefusesABombBeforeInflating) {
  ZipBuilder zip;
  zip.add_deflated("bomb", std::string(1'000'000, '\0'));
  Limits limits;
  limits.inflated_floor = 1000;
  limits.inflated_ratio = 100;
  const Archive archive = Archive::read(zip.source(), limits);
  expect_error(ErrorCode::LimitExceeded,
               HasSubstr("bytes would inflate to 1000000; the limit is 1000 bytes or 100 times"),
               [&] { static_cast<void>(archive.open(archive.entries()[0])); });

  limits.inflated_floor = 1'000'000;
  const Archive roomier = Archive::read(zip.source(), limits);
  EXPECT_EQ(content(roomier, "bomb").size(), 1'000'000U);
}

TEST(InflatedSource, RefusesABombThatClaimsMoreThanItHolds) {
  ZipBuilder zip;
  ZipEntry& entry = zip.add_deflated("bomb", "tiny");
  entry.zip64 = true;
  entry.bytes = std::uint64_t{10} << 30;
  const Archive archive = read_archive(zip);
  expect_error(ErrorCode::LimitExceeded, HasSubstr("would inflate to 10737418240"),
               [&] { static_cast<void>(archive.open(archive.entries()[0])); });
}

}  // namespace
}  // namespace weighbridge::zip
