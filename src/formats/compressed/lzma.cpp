#include <cstdint>
#include <new>

#include <lzma.h>

#include "formats/compressed/codecs.hpp"

namespace weighbridge::compressed {
namespace {

constexpr std::uint64_t kMemoryLimit = std::uint64_t{256} << 20;

std::string_view damage_text(lzma_ret status) {
  switch (status) {
    case LZMA_OK:
    case LZMA_STREAM_END:
    case LZMA_BUF_ERROR:  // no progress, which the caller sees by itself
    case LZMA_MEMLIMIT_ERROR:
      return {};
    case LZMA_FORMAT_ERROR:
      return "a stream does not begin here";
    case LZMA_OPTIONS_ERROR:
      return "its options are none that exist";
    default:
      return "the stream is damaged";
  }
}

class LzmaDecoder final : public Decoder {
 public:
  using Init = lzma_ret (*)(lzma_stream*);
  explicit LzmaDecoder(Init init) {
    if (init(&stream_) != LZMA_OK) throw std::bad_alloc();
  }
  ~LzmaDecoder() override { lzma_end(&stream_); }
  LzmaDecoder(const LzmaDecoder&) = delete;
  LzmaDecoder& operator=(const LzmaDecoder&) = delete;

  DecodeStep step(std::span<const std::byte> in, std::span<std::byte> out, bool last) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret status = lzma_code(&stream_, last ? LZMA_FINISH : LZMA_RUN);
    if (status == LZMA_MEM_ERROR) throw std::bad_alloc();
    return {.consumed = in.size() - stream_.avail_in,
            .produced = out.size() - stream_.avail_out,
            .ended = status == LZMA_STREAM_END,
            .over_limit = status == LZMA_MEMLIMIT_ERROR,
            .damage = damage_text(status)};
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

}  // namespace

std::unique_ptr<Decoder> make_xz_decoder() {
  return std::make_unique<LzmaDecoder>(
      [](lzma_stream* stream) { return lzma_stream_decoder(stream, kMemoryLimit, LZMA_CONCATENATED); });
}

std::unique_ptr<Decoder> make_lzma_decoder() {
  return std::make_unique<LzmaDecoder>(
      [](lzma_stream* stream) { return lzma_alone_decoder(stream, kMemoryLimit); });
}

}  // namespace weighbridge::compressed
