#include <string>

#include <weighbridge/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "base/endian.hpp"
#include "formats/hdf5/filters.hpp"

namespace weighbridge::hdf5 {
namespace {

using testing::HasSubstr;
using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes deflated(std::string_view text) {
  uLongf size = compressBound(text.size());
  Bytes out(size);
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
           text.size());
  out.resize(size);
  return out;
}

Bytes summed(Bytes bytes) {
  std::byte sum[4];
  store_le(sum, fletcher32(bytes));
  bytes.insert(bytes.end(), sum, sum + 4);
  return bytes;
}

template <typename Call>
void expect_error(ErrorCode code, std::string_view text, const Call& call) {
  try {
    static_cast<void>(call());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_THAT(error.what(), HasSubstr(std::string(text)));
  }
}

TEST(Hdf5Filters, ShufflePutsTheFirstBytesOfAllElementsFirst) {
  EXPECT_EQ(text_of(undo_filters(bytes_of("acebdf+"), std::vector{Filter::Shuffle}, 0, 2, 7)), "abcdef+");
}

TEST(Hdf5Filters, ShuffleOfBytesIsNothing) {
  EXPECT_EQ(text_of(undo_filters(bytes_of("abc"), std::vector{Filter::Shuffle}, 0, 1, 3)), "abc");
}

TEST(Hdf5Filters, ChecksumsAreThoseOfFletcher) {
  EXPECT_EQ(fletcher32({}), 0U);
  // Words 0x6162, 0x6364, 0x6500.
  const std::uint32_t one = 0x6162U + 0x6364U + 0x6500U;
  const std::uint32_t two = 3 * 0x6162U + 2 * 0x6364U + 0x6500U;
  const auto fold = [](std::uint32_t sum) { return (sum & 0xFFFFU) + (sum >> 16); };
  EXPECT_EQ(fletcher32(bytes_of("abcde")), fold(fold(two)) << 16 | fold(fold(one)));
}

TEST(Hdf5Filters, AWrongChecksumIsDamage) {
  Bytes stored = summed(bytes_of("abcdef"));
  EXPECT_EQ(text_of(undo_filters(stored, std::vector{Filter::Fletcher32}, 0, 1, 6)), "abcdef");
  stored[2] = std::byte{'x'};
  expect_error(ErrorCode::MalformedCheckpoint, "its checksum is",
               [&] { return undo_filters(stored, std::vector{Filter::Fletcher32}, 0, 1, 6); });
  expect_error(ErrorCode::MalformedCheckpoint, "too short for a checksum",
               [&] { return undo_filters(bytes_of("ab"), std::vector{Filter::Fletcher32}, 0, 1, 6); });
}

TEST(Hdf5Filters, AreUndoneFromTheLastToTheFirst) {
  const std::vector filters = {Filter::Shuffle, Filter::Deflate, Filter::Fletcher32};
  EXPECT_EQ(text_of(undo_filters(summed(deflated("acebdf")), filters, 0, 2, 6)), "abcdef");
}

TEST(Hdf5Filters, AChunkMayHaveLeftSomeOut) {
  const std::vector filters = {Filter::Shuffle, Filter::Deflate};
  EXPECT_EQ(text_of(undo_filters(bytes_of("acebdf"), filters, 2, 2, 6)), "abcdef");
  EXPECT_EQ(text_of(undo_filters(bytes_of("abcdef"), filters, 3, 2, 6)), "abcdef");
}

TEST(Hdf5Filters, DeflatedDataGiveExactlyTheChunk) {
  const std::vector filters = {Filter::Deflate};
  for (const std::uint64_t bytes : {5U, 7U}) {
    expect_error(ErrorCode::MalformedCheckpoint, "a chunk is damaged",
                 [&] { return undo_filters(deflated("abcdef"), filters, 0, 1, bytes); });
  }
  Bytes cut = deflated("abcdef");
  cut.pop_back();
  expect_error(ErrorCode::MalformedCheckpoint, "ends too early",
               [&] { return undo_filters(cut, filters, 0, 1, 6); });
}

TEST(Hdf5Filters, NothingIsTakenForAChunkThatItsBytesCannotHold) {
  for (const Filter filter : {Filter::Deflate, Filter::Lzf}) {
    expect_error(ErrorCode::LimitExceeded, "cannot hold", [&] {
      return undo_filters(deflated("abc"), std::vector{filter}, 0, 1, std::uint64_t{1} << 40);
    });
  }
}

TEST(Hdf5Filters, LzfHasLiteralsAndCopies) {
  // "ab", then 5 bytes from 2 before: overlapping, and 12 from 1 before with a length of its own.
  const Bytes stored =
      bytes_of(std::string("\x01"
                           "ab"
                           "\x60\x01"
                           "\xE0\x03"
                           "\x00",
                           8));
  EXPECT_EQ(text_of(undo_filters(stored, std::vector{Filter::Lzf}, 0, 1, 19)),
            "abababa" + std::string(12, 'a'));
}

TEST(Hdf5Filters, LzfNeverLeavesItsBytes) {
  const auto undo = [](std::string_view stored, std::uint64_t bytes) {
    return undo_filters(bytes_of(stored), std::vector{Filter::Lzf}, 0, 1, bytes);
  };
  using std::string_view_literals::operator""sv;
  expect_error(ErrorCode::MalformedCheckpoint, "before its start", [&] {
    return undo(
        "\x00"
        "a\x20\x01"sv,
        9);
  });
  expect_error(ErrorCode::MalformedCheckpoint, "within a token", [&] {
    return undo(
        "\x05"
        "ab"sv,
        9);
  });
  expect_error(ErrorCode::MalformedCheckpoint, "within a token", [&] {
    return undo(
        "\x00"
        "a\x20"sv,
        9);
  });
  expect_error(ErrorCode::MalformedCheckpoint, "too many bytes", [&] {
    return undo(
        "\x01"
        "ab"sv,
        1);
  });
  expect_error(ErrorCode::MalformedCheckpoint, "are needed", [&] {
    return undo(
        "\x01"
        "ab"sv,
        3);
  });
}

TEST(Hdf5Filters, TwoCompressionsAreRefused) {
  const std::vector filters = {Filter::Deflate, Filter::Lzf};
  expect_error(ErrorCode::Unsupported, "compressed twice",
               [&] { return undo_filters(bytes_of("abc"), filters, 0, 1, 3); });
}

}  // namespace
}  // namespace weighbridge::hdf5
