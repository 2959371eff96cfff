// Tensor entries in the layout that writers use, read several characters at a time.
//
//   "name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}
//
// The fields may come in any order, one space may stand behind each ':' and ','. All that is read here
// HeaderScan would read with the same result; all else is left to it: escapes, other white space,
// other fields, numbers of more than 19 digits, and everything that is wrong, also as UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/header_data.hpp"
#include "core/header_layouts.hpp"
#include "core/header_pieces.hpp"
#include "core/header_room.hpp"

namespace weighbridge {

/// A dtype that was met, and how it is written.
struct KnownDType {
  DType dtype = DType::F32;
  PieceWord word;
};

/// What an entry mostly repeats of those before.
struct Usual {
  KnownLayouts layouts;
  KnownDType dtype;
  KnownDType other_dtype;
  LastNumber end;
};

class EntryReader {
 public:
  /// `text` is that of the header; all outlive the reader. REQUIRES: kTextPadding NULs behind the text.
  EntryReader(const char* text, std::uint32_t rank_limit, HeaderRoom& room, Header::Data& data) noexcept
      : text_(text), rank_limit_(rank_limit), room_(room), data_(data) {}

  /// Appends the entry whose name's quote stands at `from` to the tensors and gives the place behind it.
  /// Otherwise gives 0, with nothing changed.
  std::size_t read(std::size_t from);

  /// The same, but also takes a compact entry with more fields behind the three: has_more() is true then, and
  /// the place is that of the ',' in front of them.
  std::size_t read_or_begin(std::size_t from);
  [[nodiscard]] bool has_more() const noexcept { return has_more_; }

  /// Says that `first`, the only one yet, may begin anywhere.
  void tile_from(const TensorRecord& first) noexcept;
  /// Appends the tensors and dimensions that `later` read, whose text follows, and goes on in its text.
  void append(const EntryReader& later);

  /// How many bytes the tensors read here tile: the first begins at 0, each other one where the one before
  /// ends, and all have the bytes that their dtypes and shapes need. Nothing when they do not.
  [[nodiscard]] std::optional<std::uint64_t> tiled() const noexcept {
    return tiles_ ? std::optional(covered_) : std::nullopt;
  }

 private:
  const char* read_name(const char* at, TensorRecord& record) const noexcept;
  const char* read_fields(const char* at, TensorRecord& record);
  const char* read_offsets(const char* at, const Layout& layout, TensorRecord& record) noexcept;
  const char* read_new(const char* at, TensorRecord& record);
  bool read_layout(HeaderPieces& text, Layout& layout);
  const char* read_in_any_order(const char* at, TensorRecord& record);
  [[nodiscard]] std::size_t most_dims() const noexcept;
  void note_bytes(const TensorRecord& record, std::optional<std::uint64_t> bytes) noexcept;

  const char* text_;
  std::uint32_t rank_limit_;
  HeaderRoom& room_;
  Header::Data& data_;
  bool may_have_more_ = false;
  bool has_more_ = false;
  Usual usual_;
  std::uint64_t covered_ = 0;
  bool tiles_ = true;
};

}  // namespace weighbridge
