#include "formats/pickle/cursor.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include <fmt/format.h>

#include "formats/pickle/fault.hpp"

namespace weighbridge::pickle {

Cursor::Cursor(SourcePtr source, std::uint64_t offset)
    : source_(std::move(source)), size_(source_->size()), start_(offset), window_start_(offset) {
  if (offset > size_) {
    throw Error(ErrorCode::IoError,
                fmt::format("a stream at byte {} starts behind the end of its {} bytes", offset, size_), {},
                offset);
  }
  window_.resize(std::min<std::uint64_t>(kWindow, size_ - offset));
}

const char* Cursor::take(std::size_t count) {
  if (filled_ - at_ < count) refill_for(count);
  check_frame(count);
  const char* begin = window_.data() + at_;
  at_ += count;
  return begin;
}

void Cursor::check_available(std::uint64_t count) const {
  if (count <= remaining()) return;
  malformed(fmt::format("needs {} bytes, {} remain", count, remaining()));
}

void Cursor::check_frame(std::uint64_t count) const {
  const std::uint64_t here = position();
  if (!in_frame_ || count <= frame_end_ - here) return;
  malformed(fmt::format("needs {} bytes, the frame ends after {}", count, frame_end_ - here));
}

void Cursor::refill_for(std::size_t count) {
  check_available(count);
  refill();
}

// Keeps the unread tail and reads as much behind it as the window has room for.
void Cursor::refill() {
  const std::size_t tail = filled_ - at_;
  std::memmove(window_.data(), window_.data() + at_, tail);
  window_start_ += at_;
  at_ = 0;
  const std::uint64_t unread = size_ - window_start_ - tail;
  const auto more = static_cast<std::size_t>(std::min<std::uint64_t>(window_.size() - tail, unread));
  source_->read_at(window_start_ + tail, std::as_writable_bytes(std::span(window_).subspan(tail, more)));
  filled_ = tail + more;
}

std::string_view Cursor::line(std::uint64_t most) {
  long_line_.clear();
  if (at_ == filled_ && remaining() > 0) refill();
  while (true) {
    const std::string_view seen = window();
    const std::size_t newline = seen.find('\n');
    const std::size_t length = std::min(newline, seen.size());
    if (length > most || long_line_.size() > most - length) {
      limit_exceeded(fmt::format("holds a line of more than {} bytes", most));
    }
    check_frame(std::min(length + 1, seen.size()));
    at_ += length;
    if (newline != std::string_view::npos) {
      ++at_;
      return long_line_.empty() ? seen.substr(0, length)
                                : std::string_view(long_line_.append(seen, 0, length));
    }
    if (remaining() == 0) malformed("needs a line, the stream ends without a newline");
    long_line_.append(seen);
    refill();
  }
}

void Cursor::skip(std::uint64_t count) {
  check_available(count);
  check_frame(count);
  skipped_ += count;
  if (count <= filled_ - at_) {
    at_ += static_cast<std::size_t>(count);
    return;
  }
  window_start_ = position() + count;
  at_ = 0;
  filled_ = 0;
}

void Cursor::open_frame(std::uint64_t length) {
  if (in_frame_) malformed("opens a frame inside another");
  check_available(length);
  frame_end_ = position() + length;
}

void Cursor::close_frame() {
  if (position() < frame_end_)
    malformed(fmt::format("ends {} bytes before its frame does", frame_end_ - position()));
  in_frame_ = false;
}

}  // namespace weighbridge::pickle
