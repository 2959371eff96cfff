#include <new>

#include <lz4frame.h>

#include "formats/compressed/codecs.hpp"

namespace weighbridge::compressed {
namespace {

struct Free {
  void operator()(LZ4F_dctx* context) const noexcept { LZ4F_freeDecompressionContext(context); }
};

class Lz4Decoder final : public Decoder {
 public:
  Lz4Decoder() {
    LZ4F_dctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) throw std::bad_alloc();
    context_.reset(context);
  }

  DecodeStep step(std::span<const std::byte> in, std::span<std::byte> out, bool /*last*/) override {
    DecodeStep result;
    result.consumed = in.size();
    result.produced = out.size();
    const std::size_t status =
        LZ4F_decompress(context_.get(), out.data(), &result.produced, in.data(), &result.consumed, nullptr);
    if (LZ4F_isError(status) != 0) return {.damage = LZ4F_getErrorName(status)};
    result.ended = status == 0;
    return result;
  }

 private:
  std::unique_ptr<LZ4F_dctx, Free> context_;
};

}  // namespace

std::unique_ptr<Decoder> make_lz4_decoder() { return std::make_unique<Lz4Decoder>(); }

}  // namespace weighbridge::compressed
