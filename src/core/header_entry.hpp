// Tensor entries in the layout that writers use, read several characters at a time.
//
//   "name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}
//
// The fields may come in any order, one space may stand behind each ':' and ','. All that is read here
// HeaderScan would read with the same result; all else is left to it: escapes, other white space,
// unknown fields, numbers of more than 19 digits, and everything that is wrong.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/header_data.hpp"
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

 private:
  const char* text_;
  std::uint32_t rank_limit_;
  HeaderRoom& room_;
  Header::Data& data_;
  Usual usual_;
};

}  // namespace weighbridge
