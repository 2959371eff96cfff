// Any bytes as a compressed file of any codec: content that reads the same in any order, or an Error.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/compressed/codecs.hpp"
#include "formats/compressed/compressed.hpp"
#include "formats/compressed/decoded_source.hpp"

namespace {

using namespace weighbridge;

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<std::byte> read(const ByteSource& source, std::uint64_t offset, std::uint64_t bytes) {
  std::vector<std::byte> content(bytes);
  source.read_at(offset, content);
  return content;
}

/// The end before the beginning, so that the source has to find its way back.
void read_in_pieces(const ByteSource& source, const std::vector<std::byte>& whole) {
  const std::uint64_t half = whole.size() / 2;
  require(std::ranges::equal(read(source, half, whole.size() - half), std::span(whole).subspan(half)));
  require(std::ranges::equal(read(source, 0, half), std::span(whole).first(half)));
}

void read_zlib_again(const SourcePtr& file, const std::vector<std::byte>& whole) {
  const compressed::Stream stream{
      .data = file,
      .noun = "data",
      .make_decoder = [] { return compressed::make_deflate_decoder(compressed::DeflateFraming::Zlib); },
      .failure = [](ErrorCode code, std::string_view what,
                    std::uint64_t offset) { return Error(code, std::string(what), {}, offset); }};
  read_in_pieces(*compressed::decoded_source(stream, whole.size()), whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const SourcePtr file = memory_source(Buffer::take(std::vector<std::byte>(bytes.begin(), bytes.end())));
  const auto codec = compressed::find_codec(*file);
  if (!codec) return 0;
  Limits limits;
  limits.inflated_floor = 1 << 20;
  limits.inflated_ratio = 2;
  try {
    const SourcePtr source = compressed::decompressed_source(file, *codec, limits);
    require(source->size() <= std::max<std::uint64_t>(limits.inflated_floor, 2 * size));
    const auto whole = read(*source, 0, source->size());
    read_in_pieces(*source, whole);
    if (*codec == compressed::Codec::Zlib) read_zlib_again(file, whole);
  } catch (const Error& error) {
    require(error.code() == ErrorCode::MalformedArchive || error.code() == ErrorCode::LimitExceeded);
  }
  return 0;
}
