#include "formats/compressed/compressed.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/compressed/codecs.hpp"
#include "formats/compressed/decoded_source.hpp"

namespace weighbridge::compressed {
namespace {

using std::string_view_literals::operator""sv;

struct Signature {
  std::string_view bytes;
  Codec codec;
};

constexpr std::array kSignatures = {
    Signature{"\x1F\x8B\x08"sv, Codec::Gzip},
    Signature{"BZh"sv, Codec::Bzip2},
    Signature{"\xFD"
              "7zXZ\0"sv,
              Codec::Xz},
    Signature{"\x5D\0\0"sv, Codec::Lzma},
    Signature{"\x04\x22\x4D\x18"sv, Codec::Lz4},
    Signature{"\x78\x01"sv, Codec::Zlib},
    Signature{"\x78\x5E"sv, Codec::Zlib},
    Signature{"\x78\x9C"sv, Codec::Zlib},
    Signature{"\x78\xDA"sv, Codec::Zlib},
    Signature{"ZF0x"sv, Codec::JoblibZ},
};

constexpr std::size_t kLongestSignature = 6;

/// "ZF" and the length in hexadecimal, padded with blanks to that of 2^64.
constexpr std::uint64_t kZfileHeader = 2 + 19;

std::string read_text(const ByteSource& source, std::uint64_t most) {
  std::string text(std::min(source.size(), most), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

std::unique_ptr<Decoder> make_decoder(Codec codec) {
  switch (codec) {
    case Codec::Gzip:
      return make_members_decoder([] { return make_deflate_decoder(DeflateFraming::Gzip); },
                                  MemberPadding::Zeros);
    case Codec::Bzip2:
      return make_members_decoder(make_bzip2_decoder, MemberPadding::None);
    case Codec::Xz:
      return make_xz_decoder();
    case Codec::Lzma:
      return make_lzma_decoder();
    case Codec::Lz4:
      return make_members_decoder(make_lz4_decoder, MemberPadding::None);
    case Codec::Zlib:
    case Codec::JoblibZ:
      break;
  }
  return make_deflate_decoder(DeflateFraming::Zlib);
}

std::uint64_t most_bytes(std::uint64_t compressed_bytes, const Limits& limits) {
  const auto by_ratio = checked_mul(limits.inflated_ratio, compressed_bytes);
  return std::max(limits.inflated_floor, by_ratio.value_or(UINT64_MAX));
}

/// `data_offset` is where the stream begins in the file.
Stream make_stream(SourcePtr data, Codec codec, std::uint64_t data_offset) {
  return {.data = std::move(data),
          .noun = fmt::format("{} data", codec_name(codec)),
          .make_decoder = [codec] { return make_decoder(codec); },
          .failure =
              [data_offset](ErrorCode code, std::string_view what, std::uint64_t offset) {
                return Error(code, fmt::format("{} (byte {})", what, data_offset + offset), {},
                             data_offset + offset);
              }};
}

[[noreturn]] void refuse_length(std::string_view text) {
  throw Error(ErrorCode::MalformedArchive,
              fmt::format("joblib-z: the length '{}' is no hexadecimal number (byte 2)", printable(text)), {},
              2);
}

/// The number between "0x" and blanks; nothing when it has more than 64 bits.
std::optional<std::uint64_t> parse_length(std::string_view text) {
  const std::string_view digits = text.substr(2, text.find_last_not_of(' ') - 1);
  std::uint64_t value = 0;
  const char* const begin = digits.data();
  const char* const end = begin + digits.size();
  const auto [parsed, error] = std::from_chars(begin, end, value, 16);
  if (error == std::errc::result_out_of_range && parsed == end) return std::nullopt;
  if (error != std::errc{} || parsed != end) refuse_length(text);
  return value;
}

/// Where the zlib data begins: Python 2 wrote one blank more.
std::uint64_t find_zfile_data(const ByteSource& source) {
  const std::string start = read_text(source, kZfileHeader + 1);
  return kZfileHeader + (start.size() > kZfileHeader && start.back() == ' ' ? 1 : 0);
}

SourcePtr zfile_content(const SourcePtr& file, const Limits& limits) {
  const std::string header = read_text(*file, kZfileHeader);
  if (header.size() < kZfileHeader) {
    throw Error(ErrorCode::MalformedArchive,
                fmt::format("joblib-z: {} bytes, a header of {} needed", header.size(), kZfileHeader));
  }
  const auto length = parse_length(std::string_view(header).substr(2));
  const std::uint64_t begin = find_zfile_data(*file);
  const std::uint64_t most = most_bytes(file->size() - begin, limits);
  if (!length || *length > most) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("joblib-z: the file says that it holds {} bytes, the limit is {} (byte 2)",
                            printable(header.substr(2)), most),
                {}, 2);
  }
  SourcePtr data = sub_source(file, begin, file->size() - begin);
  SourcePtr content = measured_source(make_stream(std::move(data), Codec::JoblibZ, begin), most);
  if (content->size() == *length) return content;
  throw Error(ErrorCode::MalformedArchive,
              fmt::format("joblib-z: the zlib data gives {} bytes, the header says {} (byte 2)",
                          content->size(), *length),
              {}, 2);
}

}  // namespace

std::optional<Codec> find_codec(const ByteSource& source) {
  const std::string head = read_text(source, kLongestSignature);
  const auto found = std::ranges::find_if(
      kSignatures, [&head](const Signature& row) { return head.starts_with(row.bytes); });
  return found == kSignatures.end() ? std::nullopt : std::optional(found->codec);
}

std::string_view codec_name(Codec codec) noexcept {
  constexpr std::array<std::string_view, 7> kNames = {"zlib", "gzip", "bzip2",   "xz",
                                                      "lzma", "lz4",  "joblib-z"};
  return kNames[static_cast<std::size_t>(codec)];
}

SourcePtr decompressed_source(SourcePtr compressed, Codec codec, const Limits& limits) {
  if (codec == Codec::JoblibZ) return zfile_content(compressed, limits);
  const std::uint64_t most = most_bytes(compressed->size(), limits);
  return measured_source(make_stream(std::move(compressed), codec, 0), most);
}

}  // namespace weighbridge::compressed
