#include "support/compressors.hpp"

#include <stdexcept>

#include <bzlib.h>
#include <fmt/format.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>

namespace weighbridge::test {
namespace {

using compressed::Codec;

void check(bool done) {
  if (!done) throw std::runtime_error("cannot compress");
}

std::string deflate_with(const std::string& content, int window_bits) {
  z_stream stream{};
  check(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  check(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string bzip2(const std::string& content) {
  std::string out(content.size() + content.size() / 100 + 600, '\0');
  auto bytes = static_cast<unsigned>(out.size());
  check(BZ2_bzBuffToBuffCompress(out.data(), &bytes, const_cast<char*>(content.data()),
                                 static_cast<unsigned>(content.size()), 1, 0, 0) == BZ_OK);
  out.resize(bytes);
  return out;
}

std::string lzma_with(const std::string& content, bool xz) {
  lzma_stream stream = LZMA_STREAM_INIT;
  lzma_options_lzma options;
  lzma_lzma_preset(&options, 0);
  check((xz ? lzma_easy_encoder(&stream, 0, LZMA_CHECK_CRC64) : lzma_alone_encoder(&stream, &options)) ==
        LZMA_OK);
  std::string out(lzma_stream_buffer_bound(content.size()) + 1024, '\0');
  stream.next_in = reinterpret_cast<const std::uint8_t*>(content.data());
  stream.avail_in = content.size();
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = out.size();
  check(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END);
  out.resize(stream.total_out);
  lzma_end(&stream);
  return out;
}

std::string lz4(const std::string& content) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  std::string out(LZ4F_compressFrameBound(content.size(), &preferences), '\0');
  const std::size_t bytes =
      LZ4F_compressFrame(out.data(), out.size(), content.data(), content.size(), &preferences);
  check(LZ4F_isError(bytes) == 0);
  out.resize(bytes);
  return out;
}

}  // namespace

std::string zfile_header(std::uint64_t bytes) { return fmt::format("ZF{:<19}", fmt::format("{:#x}", bytes)); }

std::string compress(Codec codec, const std::string& content) {
  constexpr int kGzip = 16;
  switch (codec) {
    case Codec::Gzip:
      return deflate_with(content, MAX_WBITS + kGzip);
    case Codec::Bzip2:
      return bzip2(content);
    case Codec::Xz:
      return lzma_with(content, true);
    case Codec::Lzma:
      return lzma_with(content, false);
    case Codec::Lz4:
      return lz4(content);
    case Codec::JoblibZ:
      return zfile_header(content.size()) + deflate_with(content, MAX_WBITS);
    case Codec::Zlib:
      break;
  }
  return deflate_with(content, MAX_WBITS);
}

}  // namespace weighbridge::test
