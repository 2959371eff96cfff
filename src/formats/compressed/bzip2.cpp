#include <algorithm>
#include <new>

#include <bzlib.h>

#include "formats/compressed/codecs.hpp"

namespace weighbridge::compressed {
namespace {

constexpr std::size_t kMaxStepBytes = std::size_t{1} << 30;  // libbz2 counts in 32 bits

class Bzip2Decoder final : public Decoder {
 public:
  Bzip2Decoder() {
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw std::bad_alloc();
  }
  ~Bzip2Decoder() override { BZ2_bzDecompressEnd(&stream_); }
  Bzip2Decoder(const Bzip2Decoder&) = delete;
  Bzip2Decoder& operator=(const Bzip2Decoder&) = delete;

  DecodeStep step(std::span<const std::byte> in, std::span<std::byte> out, bool /*last*/) override {
    const auto in_bytes = static_cast<unsigned>(std::min(in.size(), kMaxStepBytes));
    const auto out_bytes = static_cast<unsigned>(std::min(out.size(), kMaxStepBytes));
    // libbz2's interface has no const; it does not write through next_in.
    stream_.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(in.data()));
    stream_.avail_in = in_bytes;
    stream_.next_out = reinterpret_cast<char*>(out.data());
    stream_.avail_out = out_bytes;
    const int status = BZ2_bzDecompress(&stream_);
    if (status == BZ_MEM_ERROR) throw std::bad_alloc();

    DecodeStep result;
    result.consumed = in_bytes - stream_.avail_in;
    result.produced = out_bytes - stream_.avail_out;
    result.ended = status == BZ_STREAM_END;
    if (status == BZ_DATA_ERROR_MAGIC) result.damage = "a bzip2 stream does not begin here";
    if (status != BZ_OK && status != BZ_STREAM_END && result.damage.empty()) {
      result.damage = "a block is damaged";
    }
    return result;
  }

 private:
  bz_stream stream_{};
};

}  // namespace

std::unique_ptr<Decoder> make_bzip2_decoder() { return std::make_unique<Bzip2Decoder>(); }

}  // namespace weighbridge::compressed
