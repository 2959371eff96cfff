#include "core/header_stream.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "core/header_pieces.hpp"
#include "core/header_report.hpp"

namespace weighbridge {
namespace {

// Few headers have less text for a tensor and for a dimension: entries of 96 bytes with three dimensions.
constexpr std::size_t kUsualBytesPerTensor = 96;
constexpr std::size_t kUsualBytesPerDim = 32;
// Few headers have more dimensions than this in their layouts, which share them.
constexpr std::size_t kUsualDims = 128;

// Names are short: a copy of known size, or a few, is quicker than one of any size.
// REQUIRES: 15 bytes more at both places.
void copy_in_steps(char* to, const char* from, std::size_t size) noexcept {
  constexpr std::size_t kStep = 16;
  for (std::size_t i = 0; i < size; i += kStep) std::memcpy(to + i, from + i, kStep);
}

}  // namespace

HeaderStream::HeaderStream(const ByteSource& file, std::size_t length, const Limits& limits, HeaderRoom& room,
                           Header::Data& data, StreamWindow window, StreamPart part)
    : file_(file),
      length_(length),
      limits_(limits),
      room_(room),
      data_(data),
      sizes_(window),
      until_(part.until),
      window_(std::make_unique_for_overwrite<char[]>(
          std::min(length - part.from, window.piece + window.least) + kTextPadding)),
      text_(window_.get()),
      entries_(text_, limits.rank, room, data),
      read_(part.from),
      names_(part.text),
      kept_(part.from) {
  // The first part adopts all others.
  const std::size_t bytes = part.from == 0 ? length : std::min(length, part.until) - part.from;
  data_.tensors.reserve(bytes / kUsualBytesPerTensor);
  data_.dims.reserve(kUsualDims);
}

void HeaderStream::take() {
  read_piece();
  if (place() == 0) {
    take_from_start();
  } else {
    take_from_middle();
  }
}

void HeaderStream::take_from_start() {
  if (*text_ != '{') return;
  if (!HeaderPieces(text_ + 1).take("\"__metadata__\":")) return take_tensors(1);
  if (read_metadata()) take_tensors(next_member());
}

void HeaderStream::take_from_middle() {
  const std::size_t second = take_tensor(next_member());
  if (data_.tensors.empty()) return;
  entries_.tile_from(data_.tensors.front());
  take_tensors(second);
}

void HeaderStream::adopt(HeaderStream& later) {
  if (names_ == nullptr) start_keeping(length_ + kTextPadding);
  keep_names();
  later.keep_names();
  entries_.append(later.entries_);
  window_ = std::move(later.window_);
  text_ = later.text_;
  read_ = later.read_;
  end_ = later.end_;
  behind_ = later.behind_;
  until_ = later.until_;
  kept_ = later.kept_;
  tensors_kept_ = data_.tensors.size();
}

Streamed HeaderStream::finish() {
  if (place() >= std::exchange(until_, std::string_view::npos)) take_tensors(next_member());
  const bool whole = place() != 0 && ends();
  const Streamed streamed{.place = place(), .whole = whole, .tiled = whole ? entries_.tiled() : std::nullopt};
  if (names_ == nullptr) start_keeping((whole ? bytes_to_keep() : length_) + kTextPadding);
  keep_names();
  if (!whole) settle();
  return streamed;
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
bool HeaderStream::read_metadata() {
  HeaderPieces pieces(text_ + 1);
  const HeaderRoom before = room_;
  if (pieces.take_key("\"__metadata__\":") && read_pairs(pieces)) {
    data_.has_metadata = true;
    front_ = behind_ = static_cast<std::size_t>(pieces.at() - text_);
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

void HeaderStream::take_tensors(std::size_t next) {
  while (next != 0) next = take_tensor(next);
}

// Gives the place of the member behind it; 0 when none is to be taken.
std::size_t HeaderStream::take_tensor(std::size_t at) {
  const std::size_t end = entries_.read(at);
  if (end == 0) return 0;
  behind_ = end;
  if (end_ - end < sizes_.least && read_ < length_) slide();
  return place() >= until_ ? 0 : next_member();
}

// The place of the member that follows; 0 when none does.
std::size_t HeaderStream::next_member() const noexcept {
  HeaderPieces pieces(text_ + behind_);
  return pieces.take_comma() ? static_cast<std::size_t>(pieces.at() - text_) : 0;
}

// Whether the header is over here, with nothing but spaces behind it.
bool HeaderStream::ends() const noexcept {
  if (read_ < length_ || text_[behind_] != '}') return false;
  return std::all_of(text_ + behind_ + 1, text_ + end_, [](char c) { return c == ' '; });
}

std::size_t HeaderStream::bytes_to_keep() const noexcept {
  std::size_t bytes = front_;
  for (const TensorRecord& tensor : data_.tensors) bytes += tensor.name.size;
  return bytes;
}

void HeaderStream::start_keeping(std::size_t bytes) {
  if (!data_.text) data_.text = make_text(bytes, *data_.tensors.get_allocator().resource());
  names_ = data_.text.get();
  std::memcpy(names_, text_, front_);
  kept_ = front_;
}

// Moves the names that stand in the window to what is kept.
void HeaderStream::keep_names() {
  // Looked up once: for all that a compiler knows, each copy might change them.
  const char* text = text_;
  char* names = names_;
  const std::size_t shift = this->shift();
  std::size_t end = kept_;
  for (TensorRecord& tensor : std::span(data_.tensors).subspan(tensors_kept_)) {
    const TextRange name = tensor.name;
    tensor.text_at = static_cast<std::uint32_t>(name.at + shift);
    tensor.name.at = static_cast<std::uint32_t>(end);
    copy_in_steps(names + end, text + name.at, name.size);
    end += name.size;
  }
  kept_ = end;
  tensors_kept_ = data_.tensors.size();
}

// Moves what stands behind the last member to the start of the window, and reads on behind it.
void HeaderStream::slide() {
  if (names_ == nullptr) start_keeping(length_ + kTextPadding);
  keep_names();
  std::memmove(text_, text_ + behind_, end_ - behind_);
  end_ -= behind_;
  behind_ = 0;
  read_piece();
}

// Copies the unread end of the window to its own place in the text, and reads all the rest. What was taken
// before is UTF-8; the rest is looked at piece by piece, while each is near. Here every tensor may have
// dimensions of its own; in the usual layout most share them, and memory that is not touched costs least.
void HeaderStream::settle() {
  char* text = data_.text.get();
  const std::size_t from = place();
  data_.dims.reserve(length_ / kUsualBytesPerDim);
  std::memcpy(text + from, text_ + behind_, end_ - behind_);
  text_ = text;
  end_ = read_;
  std::memset(text + end_, 0, kTextPadding);
  unchecked_ = end_ - from;
  check_utf8();
  while (read_ < length_) {
    unchecked_ += read_piece();
    check_utf8();
  }
}

}  // namespace weighbridge
