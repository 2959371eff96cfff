#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/compressed/codecs.hpp"
#include "formats/compressed/compressed.hpp"
#include "formats/compressed/decoded_source.hpp"
#include "support/compressors.hpp"
#include "support/zip_expectations.hpp"

namespace weighbridge::compressed {
namespace {

using test::compress;
using test::expect_error;
using test::read_text;
using test::zfile_header;
using testing::HasSubstr;

constexpr std::array kCodecs = {Codec::Zlib, Codec::Gzip, Codec::Bzip2,  Codec::Xz,
                                Codec::Lzma, Codec::Lz4,  Codec::JoblibZ};

/// Text that compresses to about half and differs everywhere.
std::string varied_text(std::size_t bytes) {
  std::mt19937 random(7);
  std::string text(bytes, '\0');
  for (char& letter : text) letter = static_cast<char>('a' + random() % 16);
  return text;
}

SourcePtr memory(std::string bytes) { return memory_source(Buffer::take(std::move(bytes))); }

SourcePtr open(Codec codec, std::string file, const Limits& limits = {}) {
  return decompressed_source(memory(std::move(file)), codec, limits);
}

std::string whole(const ByteSource& source) { return read_text(source, 0, source.size()); }

std::unique_ptr<Decoder> make_decoder_of(Codec codec) {
  switch (codec) {
    case Codec::Gzip:
      return make_deflate_decoder(DeflateFraming::Gzip);
    case Codec::Bzip2:
      return make_bzip2_decoder();
    case Codec::Xz:
      return make_xz_decoder();
    case Codec::Lzma:
      return make_lzma_decoder();
    case Codec::Lz4:
      return make_lz4_decoder();
    default:
      return make_deflate_decoder(DeflateFraming::Zlib);
  }
}

class Codecs : public testing::TestWithParam<Codec> {};

TEST_P(Codecs, AreToldByTheirFirstBytes) {
  EXPECT_EQ(find_codec(*memory(compress(GetParam(), "content"))), GetParam());
}

TEST_P(Codecs, GiveTheContent) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{4096}, std::size_t{3'000'000}}) {
    const std::string text = varied_text(bytes);
    EXPECT_TRUE(whole(*open(GetParam(), compress(GetParam(), text))) == text) << bytes;
  }
}

TEST_P(Codecs, GiveNoContent) { EXPECT_EQ(open(GetParam(), compress(GetParam(), ""))->size(), 0U); }

void expect_random_reads(const ByteSource& source, const std::string& text) {
  ASSERT_EQ(source.size(), text.size());
  std::mt19937 random(3);
  for (int i = 0; i < 12; ++i) {
    const std::uint64_t offset = random() % (text.size() - 100'000);
    ASSERT_TRUE(read_text(source, offset, 100'000) == text.substr(offset, 100'000)) << offset;
  }
}

TEST_P(Codecs, ReadAtAnyOffset) {
  const std::string text = varied_text(2'000'000);
  expect_random_reads(*open(GetParam(), compress(GetParam(), text)), text);
}

TEST_P(Codecs, ReadAtAnyOffsetWithoutKeepingTheContent) {
  const std::string text = varied_text(2'000'000);
  if (GetParam() == Codec::JoblibZ) return;  // zlib behind a header
  const Stream stream{
      .data = memory(compress(GetParam(), text)),
      .noun = "data",
      .make_decoder = [codec = GetParam()] { return make_decoder_of(codec); },
      .failure = [](ErrorCode code, std::string_view what,
                    std::uint64_t offset) { return Error(code, std::string(what), {}, offset); }};
  expect_random_reads(*decoded_source(stream, text.size()), text);
}

TEST_P(Codecs, RefuseAFileThatIsCutOffAnywhere) {
  const std::string file = compress(GetParam(), varied_text(3000));
  for (const std::size_t bytes : {file.size() - 1, file.size() / 2, std::size_t{22}}) {
    expect_error(ErrorCode::MalformedArchive, HasSubstr("cut off"),
                 [&] { open(GetParam(), file.substr(0, bytes)); });
  }
}

TEST_P(Codecs, RefuseBytesBehindTheEnd) {
  expect_error(ErrorCode::MalformedArchive,
               testing::AnyOf(HasSubstr("ends after"), HasSubstr("cannot decode")),
               [&] { open(GetParam(), compress(GetParam(), "content") + "trailing garbage"); });
}

TEST_P(Codecs, Hostile64BombsStopAtTheLimit) {
  Limits limits;
  limits.inflated_floor = 1'000'000;
  limits.inflated_ratio = 2;
  expect_error(ErrorCode::LimitExceeded, HasSubstr("1000000"),
               [&] { open(GetParam(), compress(GetParam(), std::string(5'000'000, '\0')), limits); });
}

INSTANTIATE_TEST_SUITE_P(All, Codecs, testing::ValuesIn(kCodecs), [](const auto& codec) {
  std::string name(codec_name(codec.param));
  std::erase(name, '-');
  return name;
});

TEST(CompressedSource, RefusesADamagedFileUnlessTheFormatHasNoChecksum) {
  for (const Codec codec : kCodecs) {
    if (codec == Codec::Lzma) continue;
    std::string file = compress(codec, varied_text(3000));
    file[file.size() / 2] = static_cast<char>(file[file.size() / 2] ^ 0x10);
    expect_error(ErrorCode::MalformedArchive, HasSubstr("cannot decode the"), [&] { open(codec, file); });
  }
}

TEST(CompressedSource, ReadsContentThatIsNotKeptAtAnyOffset) {
  const std::string text = varied_text(18'000'000);
  for (const Codec codec : {Codec::Zlib, Codec::Gzip}) {
    expect_random_reads(*open(codec, compress(codec, text)), text);
  }
}

TEST(CompressedSource, ReadsMembersThatFollowEachOther) {
  for (const Codec codec : {Codec::Gzip, Codec::Bzip2, Codec::Xz, Codec::Lz4}) {
    const std::string file = compress(codec, "one ") + compress(codec, "") + compress(codec, "two");
    EXPECT_EQ(whole(*open(codec, file)), "one two") << codec_name(codec);
  }
}

TEST(CompressedSource, ReadsMembersThatAreLargerThanWhatIsKept) {
  const std::string text = varied_text(18'000'000);
  const SourcePtr source = open(Codec::Gzip, compress(Codec::Gzip, text) + compress(Codec::Gzip, "end"));
  EXPECT_TRUE(read_text(*source, 17'999'999, 4) == text.substr(17'999'999) + "end");
  EXPECT_TRUE(read_text(*source, 5, 1000) == text.substr(5, 1000));
}

TEST(CompressedSource, AllowsZerosBehindGzipAlone) {
  const std::string zeros(512, '\0');
  EXPECT_EQ(whole(*open(Codec::Gzip, compress(Codec::Gzip, "text") + zeros)), "text");
  expect_error(ErrorCode::MalformedArchive, HasSubstr("bytes behind the padding"),
               [&] { open(Codec::Gzip, compress(Codec::Gzip, "text") + zeros + "x"); });
  expect_error(ErrorCode::MalformedArchive, HasSubstr("cannot decode"),
               [&] { open(Codec::Bzip2, compress(Codec::Bzip2, "text") + zeros); });
}

TEST(CompressedSource, Hostile64RefusesADictionaryOf4GiB) {
  std::string file = compress(Codec::Lzma, "content");
  file.replace(1, 4, "\xFF\xFF\xFF\xFF");
  expect_error(ErrorCode::LimitExceeded, HasSubstr("needs more than 256 MiB"),
               [&] { open(Codec::Lzma, file); });
}

TEST(Zfile, Hostile63RefusesALengthAboveTheLimitBeforeDecoding) {
  const std::string body = compress(Codec::Zlib, "content");
  for (const char* length : {"0xFFFFFFFFFFFFFFFF ", "0x10000000000000000", "0x40000001         "}) {
    expect_error(ErrorCode::LimitExceeded, HasSubstr("the file says that it holds 0x"),
                 [&] { open(Codec::JoblibZ, "ZF" + std::string(length) + body); });
  }
}

TEST(Zfile, RefusesContentOfAnotherLength) {
  const std::string body = compress(Codec::Zlib, "content");
  EXPECT_EQ(whole(*open(Codec::JoblibZ, zfile_header(7) + body)), "content");
  expect_error(ErrorCode::MalformedArchive, HasSubstr("the zlib data gives 7 bytes, the header says 6"),
               [&] { open(Codec::JoblibZ, zfile_header(6) + body); });
  expect_error(ErrorCode::MalformedArchive, HasSubstr("the zlib data gives 7 bytes, the header says 8"),
               [&] { open(Codec::JoblibZ, zfile_header(8) + body); });
}

TEST(Zfile, AllowsTheBlankOfPython2) {
  EXPECT_EQ(whole(*open(Codec::JoblibZ, zfile_header(7) + " " + compress(Codec::Zlib, "content"))),
            "content");
}

TEST(Zfile, RefusesALengthThatIsNoNumber) {
  for (const char* header : {"ZF0x                 ", "ZF0xZZ               ", "ZF0x-1               "}) {
    expect_error(ErrorCode::MalformedArchive, HasSubstr("no hexadecimal number"),
                 [&] { open(Codec::JoblibZ, header + compress(Codec::Zlib, "content")); });
  }
  expect_error(ErrorCode::MalformedArchive, HasSubstr("a header of 21 needed"),
               [&] { open(Codec::JoblibZ, "ZF0x7"); });
}

TEST(FindCodec, KnowsNothingElse) {
  for (const char* bytes : {"", "x", "PK\x03\x04", "\x80\x02", "plain text"}) {
    EXPECT_EQ(find_codec(*memory(bytes)), std::nullopt);
  }
}

}  // namespace
}  // namespace weighbridge::compressed
