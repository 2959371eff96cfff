#include "formats/gguf/cursor.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

namespace weighbridge::gguf {
namespace {

constexpr std::uint64_t kWindowBytes = 64 * 1024;

[[noreturn]] void refuse_end(const ByteSource& source, std::uint64_t position, std::uint64_t bytes,
                             std::string_view what) {
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("the GGUF file ends within {}: {} bytes at byte {} of {}", what, bytes, position,
                          source.size()),
              {}, position);
}

}  // namespace

const std::byte* Cursor::take_bytes(std::uint64_t bytes, std::string_view what) {
  if (bytes > remaining()) refuse_end(source_, position_, bytes, what);
  const bool inside = position_ >= window_begin_ && position_ - window_begin_ <= window_.size() &&
                      bytes <= window_.size() - (position_ - window_begin_);
  if (!inside) {
    window_ = source_.read(position_, std::min(std::max(bytes, kWindowBytes), remaining()));
    window_begin_ = position_;
  }
  const std::byte* const at = window_.bytes().data() + (position_ - window_begin_);
  position_ += bytes;
  return at;
}

std::string_view Cursor::take_text(std::uint64_t most, std::string_view what) {
  const std::uint64_t at = position_;
  const auto bytes = take<std::uint64_t>(what);
  if (bytes > remaining()) refuse_end(source_, position_, bytes, what);
  if (bytes > most) {
    throw Error(ErrorCode::LimitExceeded, fmt::format("{} has {} bytes, the limit is {}", what, bytes, most),
                {}, at);
  }
  return {reinterpret_cast<const char*>(take_bytes(bytes, what)), bytes};
}

void Cursor::skip(std::uint64_t bytes, std::string_view what) {
  if (bytes > remaining()) refuse_end(source_, position_, bytes, what);
  position_ += bytes;
}

std::uint64_t Cursor::take_count(std::uint64_t least, std::string_view what) {
  const std::uint64_t at = position_;
  const auto count = take<std::uint64_t>(what);
  if (count <= remaining() / least) return count;
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("the GGUF file says {} {}, which need at least {} bytes each; {} bytes are left",
                          count, what, least, remaining()),
              {}, at);
}

}  // namespace weighbridge::gguf
