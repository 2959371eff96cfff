// The usual part of a header on its way through a window of memory that fits the processor's cache.
//
// Of a usual header only the names and the metadata are kept, in Header::Data::text. The window is given
// back when the header is read. So no more memory is touched than what is kept takes, and the text is
// looked at while it is near.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>

#include "core/header_data.hpp"
#include "core/header_entry.hpp"
#include "core/header_room.hpp"

namespace weighbridge {

/// How a header is read: tests choose small ones.
struct StreamWindow {
  std::size_t piece = std::size_t{64} << 10;  ///< What is read at once.
  std::size_t least = std::size_t{4} << 10;   ///< When so little of it is left, the next one follows.
};

/// The part of a text that one stream takes.
struct StreamPart {
  std::size_t from = 0;  ///< The place of the ',' in front of its first member; 0 is the start of the text.
  std::size_t until =
      std::string_view::npos;  ///< Behind the member that ends there or further on, it pauses.
  char* text = nullptr;  ///< For the names of a part that is not the first: as Header::Data::text of it.
};

/// How far a stream came.
struct Streamed {
  std::size_t place = 0;  ///< In the text: behind the last member that was taken; 0 when there is none.
  bool whole = false;     ///< Nothing but the end of the text stands there.
  std::optional<std::uint64_t> tiled = {};  ///< See EntryReader; nothing where the text is not whole.
};

class HeaderStream {
 public:
  /// All outlive the stream.
  HeaderStream(const ByteSource& file, std::size_t length, const Limits& limits, HeaderRoom& room,
               Header::Data& data, StreamWindow window = {}, StreamPart part = {});

  /// Takes metadata and tensors from the front of its part as far as they are laid out as writers do it.
  void take();
  /// Where it stands in the text: behind the last member that was taken; 0 when there is none.
  [[nodiscard]] std::size_t place() const noexcept { return behind_ + shift(); }
  /// Appends what `later` took, and goes on where that stands, which is of no use any more.
  /// REQUIRES: both took what they could, `later` began at place(), and its names are for this text.
  void adopt(HeaderStream& later);
  /// Takes what is left. Where the rest is laid out in another way, it stands in `data.text` at its own
  /// place, with kTextPadding NULs behind it. Throws InvalidHeader for text that is not UTF-8, wherever it
  /// is, and what the file throws.
  Streamed finish();

 private:
  std::size_t read_piece();
  void check_utf8();
  bool read_metadata();
  bool read_pairs(HeaderPieces& pieces);
  bool take_string(HeaderPieces& pieces, TextRange& string) const noexcept;
  void take_from_start();
  void take_from_middle();
  void take_tensors(std::size_t next);
  std::size_t take_tensor(std::size_t at);
  [[nodiscard]] std::size_t next_member() const noexcept;
  [[nodiscard]] bool ends() const noexcept;
  [[nodiscard]] std::size_t bytes_to_keep() const noexcept;
  void start_keeping(std::size_t bytes);
  void keep_names();
  void slide();
  void settle();

  /// How far the window stands in front of its place in the text.
  [[nodiscard]] std::size_t shift() const noexcept { return read_ - end_; }

  const ByteSource& file_;
  std::size_t length_;
  const Limits& limits_;
  HeaderRoom& room_;
  Header::Data& data_;
  StreamWindow sizes_;
  std::size_t until_;
  std::unique_ptr<char[]> window_;
  char* text_;  // the window; when it is left, the rest of the text
  EntryReader entries_;
  std::size_t read_;           // of the text, from the file
  std::size_t end_ = 0;        // of what was read, in text_
  std::size_t behind_ = 0;     // the last member that was taken, in text_
  std::size_t unchecked_ = 0;  // bytes at its end of which it is not known that they are UTF-8
  std::size_t front_ = 0;      // what is kept as it stands: the metadata
  char* names_;                // where names are kept, once they are
  std::size_t kept_;           // bytes there
  std::size_t tensors_kept_ = 0;
};

}  // namespace weighbridge
