#include "formats/zip/inflater.hpp"

#include <algorithm>
#include <new>

#include <zlib.h>

namespace weighbridge::zip {
namespace {

constexpr int kRawDeflate = -MAX_WBITS;
constexpr std::size_t kMaxStepBytes = std::size_t{1} << 30;  // zlib counts in 32 bits

void check_memory(int status) {
  if (status != Z_OK) throw std::bad_alloc();
}

}  // namespace

void Inflater::End::operator()(z_stream_s* stream) const noexcept {
  inflateEnd(stream);
  delete stream;
}

Inflater::Inflater() : stream_(new z_stream{}) { check_memory(inflateInit2(stream_.get(), kRawDeflate)); }

Inflater::Inflater(const Inflater& other) : stream_(new z_stream{}) {
  check_memory(inflateCopy(stream_.get(), other.stream_.get()));
}

Inflater& Inflater::operator=(const Inflater& other) {
  if (this != &other) *this = Inflater(other);
  return *this;
}

InflateStep Inflater::step(std::span<const std::byte> in, std::span<std::byte> out) {
  const auto in_bytes = static_cast<uInt>(std::min(in.size(), kMaxStepBytes));
  const auto out_bytes = static_cast<uInt>(std::min(out.size(), kMaxStepBytes));
  // zlib's interface has no const; it does not write through next_in.
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream_->avail_in = in_bytes;
  stream_->next_out = reinterpret_cast<Bytef*>(out.data());
  stream_->avail_out = out_bytes;
  const int status = inflate(stream_.get(), Z_NO_FLUSH);
  if (status == Z_MEM_ERROR) throw std::bad_alloc();

  InflateStep result;
  result.consumed = in_bytes - stream_->avail_in;
  result.produced = out_bytes - stream_->avail_out;
  result.ended = status == Z_STREAM_END;
  const bool decodable = status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
  if (!decodable) result.damage = stream_->msg != nullptr ? stream_->msg : "the stream is damaged";
  return result;
}

}  // namespace weighbridge::zip
