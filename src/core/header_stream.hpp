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
               Header::Data& data, StreamWindow window = {});

  /// Takes metadata and tensors from the front of the text as far as they are laid out as writers do it.
  /// Where that is not all, the rest stands in `data.text` at its own place, with kTextPadding NULs
  /// behind it. Throws InvalidHeader for text that is not UTF-8, wherever it is, and what the file throws.
  Streamed run();

 private:
  std::size_t read_piece();
  void check_utf8();
  bool read_metadata(std::size_t& behind);
  bool read_pairs(HeaderPieces& pieces);
  bool take_string(HeaderPieces& pieces, TextRange& string) const noexcept;
  void read_tensors(std::size_t& behind);
  [[nodiscard]] std::size_t next_member(std::size_t behind) const noexcept;
  [[nodiscard]] bool ends(std::size_t behind) const noexcept;
  [[nodiscard]] std::size_t bytes_to_keep() const noexcept;
  void start_keeping(std::size_t bytes);
  void keep_names();
  void slide(std::size_t behind);
  void settle(std::size_t behind);

  /// How far the window stands in front of its place in the text.
  [[nodiscard]] std::size_t shift() const noexcept { return read_ - end_; }

  const ByteSource& file_;
  std::size_t length_;
  const Limits& limits_;
  HeaderRoom& room_;
  Header::Data& data_;
  StreamWindow sizes_;
  std::unique_ptr<char[]> window_;
  char* text_;  // the window; when it is left, the rest of the text
  EntryReader entries_;
  std::size_t read_ = 0;       // of the text, from the file
  std::size_t end_ = 0;        // of what was read, in text_
  std::size_t unchecked_ = 0;  // bytes at its end of which it is not known that they are UTF-8
  std::size_t front_ = 0;      // what is kept as it stands: the metadata
  std::size_t kept_ = 0;       // bytes in data_.text
  std::size_t tensors_kept_ = 0;
};

}  // namespace weighbridge
