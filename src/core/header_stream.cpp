#include "core/header_stream.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "core/header_pieces.hpp"
#include "core/header_report.hpp"

namespace weighbridge {
namespace {

// Few headers have less text for a tensor and for a dimension: entries of 96 bytes with three dimensions.
constexpr std::size_t kUsualBytesPerTensor = 96;
constexpr std::size_t kUsualBytesPerDim = 32;

// Names are short: a copy of known size, or a few, is quicker than one of any size.
// REQUIRES: 15 bytes more at both places.
void copy_in_steps(char* to, const char* from, std::size_t size) noexcept {
  constexpr std::size_t kStep = 16;
  for (std::size_t i = 0; i < size; i += kStep) std::memcpy(to + i, from + i, kStep);
}

}  // namespace

HeaderStream::HeaderStream(const ByteSource& file, std::size_t length, const Limits& limits, HeaderRoom& room,
                           Header::Data& data, StreamWindow window)
    : file_(file),
      length_(length),
      limits_(limits),
      room_(room),
      data_(data),
      sizes_(window),
      window_(std::make_unique_for_overwrite<char[]>(std::min(length, window.piece + window.least) +
                                                     kTextPadding)),
      text_(window_.get()),
      entries_(text_, limits.rank, room, data) {
  data_.tensors.reserve(length / kUsualBytesPerTensor);
}

Streamed HeaderStream::run() {
  read_piece();
  std::size_t behind = 0;
  if (*text_ == '{') {
    const bool more = !HeaderPieces(text_ + 1).take("\"__metadata__\":") || read_metadata(behind);
    if (more) read_tensors(behind);
  }
  const std::size_t place = behind + shift();
  const bool whole = place != 0 && ends(behind);
  if (!data_.text) start_keeping((whole ? bytes_to_keep() : length_) + kTextPadding);
  keep_names();
  if (!whole) settle(behind);
  return {.place = place, .whole = whole, .tiled = whole ? entries_.tiled() : std::nullopt};
}

std::size_t HeaderStream::read_piece() {
  const std::size_t bytes = std::min(sizes_.piece, length_ - read_);
  file_.read_at(kHeaderStart + read_, std::as_writable_bytes(std::span(text_ + end_, bytes)));
  read_ += bytes;
  end_ += bytes;
  std::memset(text_ + end_, 0, kTextPadding);
  return bytes;
}

// Checks what was read and is not known to be UTF-8, but for a character at the end that goes on.
void HeaderStream::check_utf8() {
  constexpr std::size_t kLongestCharacter = 4;
  const char* start = text_ + end_ - unchecked_;
  const auto bad = find_invalid_utf8({start, unchecked_});
  unchecked_ = bad ? unchecked_ - *bad : 0;
  if (!bad || (unchecked_ < kLongestCharacter && read_ < length_)) return;
  throw HeaderReport::make_error(ErrorCode::InvalidHeader, {}, kHeaderStart + read_ - unchecked_,
                                 fmt::format("expected UTF-8, found byte {:#04x} out of place",
                                             static_cast<unsigned char>(start[*bad])));
}

// Metadata as the first member, without escapes. Other metadata is left to HeaderScan.
bool HeaderStream::read_metadata(std::size_t& behind) {
  HeaderPieces pieces(text_ + 1);
  const HeaderRoom before = room_;
  if (pieces.take_key("\"__metadata__\":") && read_pairs(pieces)) {
    data_.has_metadata = true;
    front_ = behind = static_cast<std::size_t>(pieces.at() - text_);
    return true;
  }
  room_ = before;
  data_.metadata.clear();
  return false;
}

bool HeaderStream::read_pairs(HeaderPieces& pieces) {
  if (!pieces.take('{')) return false;
  if (pieces.take('}')) return true;
  do {
    MetadataRecord pair;
    if (!take_string(pieces, pair.key) || !pieces.take_key(":") || !take_string(pieces, pair.value))
      return false;
    if (data_.metadata.size() >= limits_.metadata_entries || !room_.take(sizeof pair)) return false;
    data_.metadata.push_back(pair);
  } while (pieces.take_comma());
  return pieces.take('}');
}

bool HeaderStream::take_string(HeaderPieces& pieces, TextRange& string) const noexcept {
  if (!pieces.take('"')) return false;
  std::string_view plain;
  if (!pieces.take_plain(plain)) return false;
  string = {static_cast<std::uint32_t>(plain.data() - text_), static_cast<std::uint32_t>(plain.size())};
  return pieces.take('"');
}

void HeaderStream::read_tensors(std::size_t& behind) {
  std::size_t next = behind == 0 ? 1 : next_member(behind);
  while (next != 0) {
    const std::size_t end = entries_.read(next);
    if (end == 0) return;
    behind = end;
    if (end_ - end < sizes_.least && read_ < length_) {
      slide(end);
      behind = 0;
    }
    next = next_member(behind);
  }
}

// The place of the member that follows the one which ends here; 0 when none does.
std::size_t HeaderStream::next_member(std::size_t behind) const noexcept {
  HeaderPieces pieces(text_ + behind);
  return pieces.take_comma() ? static_cast<std::size_t>(pieces.at() - text_) : 0;
}

// Whether the header is over here, with nothing but spaces behind it.
bool HeaderStream::ends(std::size_t behind) const noexcept {
  if (read_ < length_ || text_[behind] != '}') return false;
  return std::all_of(text_ + behind + 1, text_ + end_, [](char c) { return c == ' '; });
}

std::size_t HeaderStream::bytes_to_keep() const noexcept {
  std::size_t bytes = front_;
  for (const TensorRecord& tensor : data_.tensors) bytes += tensor.name.size;
  return bytes;
}

void HeaderStream::start_keeping(std::size_t bytes) {
  data_.text = make_text(bytes, *data_.tensors.get_allocator().resource());
  std::memcpy(data_.text.get(), text_, front_);
  kept_ = front_;
}

// Moves the names that stand in the window to what is kept.
void HeaderStream::keep_names() {
  char* const kept = data_.text.get();
  std::size_t end = kept_;
  for (TensorRecord& tensor : std::span(data_.tensors).subspan(tensors_kept_)) {
    tensor.text_at = static_cast<std::uint32_t>(tensor.name.at + shift());
    copy_in_steps(kept + end, text_ + tensor.name.at, tensor.name.size);
    tensor.name.at = static_cast<std::uint32_t>(end);
    end += tensor.name.size;
  }
  kept_ = end;
  tensors_kept_ = data_.tensors.size();
}

// Moves what stands at `behind` to the start of the window, and reads on behind it.
void HeaderStream::slide(std::size_t behind) {
  if (!data_.text) start_keeping(length_ + kTextPadding);
  keep_names();
  std::memmove(text_, text_ + behind, end_ - behind);
  end_ -= behind;
  read_piece();
}

// Copies the unread end of the window to its own place in the text, and reads all the rest. What was taken
// before is UTF-8; the rest is looked at piece by piece, while each is near. Here every tensor may have
// dimensions of its own; in the usual layout most share them, and memory that is not touched costs least.
void HeaderStream::settle(std::size_t behind) {
  char* text = data_.text.get();
  const std::size_t place = behind + shift();
  data_.dims.reserve(length_ / kUsualBytesPerDim);
  std::memcpy(text + place, text_ + behind, end_ - behind);
  text_ = text;
  end_ = read_;
  std::memset(text + end_, 0, kTextPadding);
  unchecked_ = end_ - place;
  check_utf8();
  while (read_ < length_) {
    unchecked_ += read_piece();
    check_utf8();
  }
}

}  // namespace weighbridge
