#include <algorithm>
#include <new>

#include <zlib.h>

#include "formats/compressed/codecs.hpp"

namespace weighbridge::compressed {
namespace {

constexpr std::size_t kMaxStepBytes = std::size_t{1} << 30;  // zlib counts in 32 bits

int window_bits(DeflateFraming framing) {
  constexpr int kGzip = 16;
  switch (framing) {
    case DeflateFraming::Raw:
      return -MAX_WBITS;
    case DeflateFraming::Zlib:
      return MAX_WBITS;
    case DeflateFraming::Gzip:
      break;
  }
  return MAX_WBITS + kGzip;
}

void check_memory(int status) {
  if (status != Z_OK) throw std::bad_alloc();
}

struct End {
  void operator()(z_stream* stream) const noexcept {
    inflateEnd(stream);
    delete stream;
  }
};

class DeflateDecoder final : public Decoder {
 public:
  explicit DeflateDecoder(DeflateFraming framing) : stream_(new z_stream{}) {
    check_memory(inflateInit2(stream_.get(), window_bits(framing)));
  }
  explicit DeflateDecoder(z_stream* other) : stream_(new z_stream{}) {
    check_memory(inflateCopy(stream_.get(), other));
  }

  DecodeStep step(std::span<const std::byte> in, std::span<std::byte> out, bool /*last*/) override {
    const auto in_bytes = static_cast<uInt>(std::min(in.size(), kMaxStepBytes));
    const auto out_bytes = static_cast<uInt>(std::min(out.size(), kMaxStepBytes));
    // zlib's interface has no const; it does not write through next_in.
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    stream_->avail_in = in_bytes;
    stream_->next_out = reinterpret_cast<Bytef*>(out.data());
    stream_->avail_out = out_bytes;
    const int status = inflate(stream_.get(), Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();

    DecodeStep result;
    result.consumed = in_bytes - stream_->avail_in;
    result.produced = out_bytes - stream_->avail_out;
    result.ended = status == Z_STREAM_END;
    const bool decodable = status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
    if (!decodable) result.damage = stream_->msg != nullptr ? stream_->msg : "the stream is damaged";
    return result;
  }

  [[nodiscard]] std::unique_ptr<Decoder> clone() const override {
    return std::make_unique<DeflateDecoder>(stream_.get());
  }

 private:
  std::unique_ptr<z_stream, End> stream_;
};

}  // namespace

std::unique_ptr<Decoder> make_deflate_decoder(DeflateFraming framing) {
  return std::make_unique<DeflateDecoder>(framing);
}

}  // namespace weighbridge::compressed
