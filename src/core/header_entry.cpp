#include "core/header_entry.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "core/header_check.hpp"
#include "core/header_pieces.hpp"

namespace weighbridge {
namespace {

constexpr std::size_t kDimBytes = sizeof(std::uint64_t);

// Where a function here is always inlined, what it is given by reference stays in registers. In memory it
// would be written in parts and read as a whole, which waits until all of it has arrived.

void set_name(TensorRecord& record, const char* text, std::string_view name) noexcept {
  record.name = {static_cast<std::uint32_t>(name.data() - text), static_cast<std::uint32_t>(name.size())};
  record.text_at = record.name.at;
}

// Most tensors begin where the one before ends.
inline bool take_offsets(HeaderPieces& text, LastNumber& last, TensorRecord& record) noexcept {
  if (!text.take('[') || !text.take_number_like(last, record.begin) || !text.take_comma()) return false;
  const char* end = text.at();
  if (!text.take_large_number(record.end, last.size())) return false;
  last = LastNumber(end, text.at(), record.end);
  return text.take(']');
}

bool take_new_dtype(HeaderPieces& text, KnownDType& known) noexcept {
  const char* start = text.at();
  if (!text.take('"')) return false;
  std::string_view name;
  if (!text.take_plain(name) || !text.take('"')) return false;
  const auto dtype = find_dtype(name);
  if (dtype) known = {*dtype, PieceWord(start, text.at())};
  return dtype.has_value();
}

// Most tensors have the dtype of the one before, or a second one.
[[gnu::always_inline]] inline bool take_dtype(HeaderPieces& text, Usual& usual, Layout& layout) noexcept {
  if (!text.take(usual.dtype.word)) {
    std::swap(usual.dtype, usual.other_dtype);
    if (!text.take(usual.dtype.word) && !take_new_dtype(text, usual.dtype)) return false;
  }
  layout.dtype = usual.dtype.dtype;
  return true;
}

[[gnu::always_inline]] inline bool take_shape(HeaderPieces& text, std::size_t most_dims,
                                              std::pmr::vector<std::uint64_t>& dims, Layout& layout) {
  layout.dims_at = static_cast<std::uint32_t>(dims.size());
  HeaderPieces shape = text;  // a copy lives in a register
  if (!shape.take('[')) return false;
  std::uint32_t rank = 0;
  if (!shape.is_at(']')) {
    do {
      std::uint64_t dim = 0;
      if (rank == most_dims || !shape.take_number(dim)) return false;
      dims.push_back(dim);
      ++rank;
    } while (shape.take_comma());
  }
  layout.rank = rank & kMostDims;
  text = shape;
  return text.take(']');
}

// The fields of one entry, in any order, on their way into a record. Any function that gives false ends the
// attempt.
class Fields {
 public:
  Fields(const char* at, std::size_t most_dims, Usual& usual, Header::Data& data) noexcept
      : text_(at), most_dims_(most_dims), usual_(usual), data_(data) {}

  bool read(TensorRecord& record) {
    if (!text_.take_key("\":") || !text_.take('{')) return false;
    unsigned seen = 0;
    do {
      if (!read_field(record, seen)) return false;
    } while (text_.take_comma());
    static_cast<TensorType&>(record) = layout_;
    return seen == (kDType | kShape | kOffsets) && text_.take('}');
  }

  [[nodiscard]] const char* behind() const noexcept { return text_.at(); }

 private:
  enum Field : unsigned { kDType = 1, kShape = 2, kOffsets = 4 };

  bool read_field(TensorRecord& record, unsigned& seen) {
    if (text_.take_key("\"dtype\":")) {
      return first_time(seen, kDType) && take_dtype(text_, usual_, layout_);
    }
    if (text_.take_key("\"shape\":")) {
      return first_time(seen, kShape) && take_shape(text_, most_dims_, data_.dims, layout_);
    }
    return text_.take_key("\"data_offsets\":") && first_time(seen, kOffsets) &&
           take_offsets(text_, usual_.end, record);
  }

  static bool first_time(unsigned& seen, Field field) noexcept {
    const bool first = (seen & field) == 0;
    seen |= field;
    return first;
  }

  HeaderPieces text_;
  std::size_t most_dims_;
  Usual& usual_;
  Header::Data& data_;
  Layout layout_;
};

}  // namespace

std::size_t EntryReader::read(std::size_t from) {
  // Filled where it stays: who copies what was just written in smaller parts waits for all of it.
  TensorRecord& record = data_.tensors.emplace_back();
  const char* behind = read_name(text_ + from, record);
  if (behind != nullptr) behind = read_fields(behind, record);
  if (behind == nullptr) {
    data_.tensors.pop_back();
    return 0;
  }
  record.name_hash = data_.name_hash({text_ + record.name.at, record.name.size});
  return static_cast<std::size_t>(behind - text_);
}

std::size_t EntryReader::read_or_begin(std::size_t from) {
  may_have_more_ = true;
  has_more_ = false;
  const std::size_t behind = read(from);
  may_have_more_ = false;
  return behind;
}

// Gives the place behind it, where its quote stands.
inline const char* EntryReader::read_name(const char* at, TensorRecord& record) const noexcept {
  HeaderPieces text(at);
  std::string_view name;
  if (!text.take('"') || !text.take_plain(name) || name == kMetadataKey) return nullptr;
  set_name(record, text_, name);
  return text.at();
}

[[gnu::always_inline]] inline const char* EntryReader::read_fields(const char* at, TensorRecord& record) {
  HeaderPieces text(at);
  if (text.take(R"(":{"dtype":)")) {
    const LayoutText written(text.at());
    const Layout* known = usual_.layouts.find(written);
    const char* behind =
        known != nullptr ? read_offsets(written.end(), *known, record) : read_new(written.start(), record);
    if (behind != nullptr) return behind;
  }
  return read_in_any_order(at, record);
}

// What stands behind the dtype and shape of a compact entry. Gives the place behind it, or null.
[[gnu::always_inline]] inline const char* EntryReader::read_offsets(const char* at, const Layout& layout,
                                                                    TensorRecord& record) noexcept {
  HeaderPieces text(at);
  if (!text.take(R"(,"data_offsets":)") || !take_offsets(text, usual_.end, record)) return nullptr;
  if (!text.take('}')) {
    if (!may_have_more_ || !text.is_at(',')) return nullptr;
    has_more_ = true;
  }
  if (!room_.take(layout.rank * kDimBytes)) return nullptr;
  static_cast<TensorType&>(record) = layout;
  note_bytes(record, layout.bytes);
  return text.at();
}

// The rest of a compact entry with a dtype and shape that are not known. Gives the place behind it, or null.
const char* EntryReader::read_new(const char* at, TensorRecord& record) {
  const std::size_t dims_before = data_.dims.size();
  HeaderPieces text(at);
  Layout layout;
  const char* behind = read_layout(text, layout) ? read_offsets(text.at(), layout, record) : nullptr;
  if (behind != nullptr) {
    usual_.layouts.keep(LayoutText(at), layout);
  } else {
    data_.dims.resize(dims_before);
  }
  return behind;
}

[[gnu::always_inline]] inline bool EntryReader::read_layout(HeaderPieces& text, Layout& layout) {
  if (!take_dtype(text, usual_, layout) || !text.take(R"(,"shape":)") ||
      !take_shape(text, most_dims(), data_.dims, layout)) {
    return false;
  }
  const auto bytes = byte_count(layout.dtype, data_.shape(layout));
  layout.bytes = bytes.value_or(0);
  return bytes.has_value();
}

// All fields in any order, each once. Gives the place behind them, or null.
const char* EntryReader::read_in_any_order(const char* at, TensorRecord& record) {
  const std::size_t dims_before = data_.dims.size();
  has_more_ = false;
  Fields fields(at, most_dims(), usual_, data_);
  if (!fields.read(record)) {
    data_.dims.resize(dims_before);
    return nullptr;
  }
  room_.take(record.rank * kDimBytes);
  note_bytes(record, byte_count(record.dtype, data_.shape(record)));
  return fields.behind();
}

std::size_t EntryReader::most_dims() const noexcept {
  return std::min<std::size_t>(std::min(rank_limit_, kMostDims), room_.left() / kDimBytes);
}

void EntryReader::tile_from(const TensorRecord& first) noexcept {
  covered_ = first.begin;
  tiles_ = true;
  note_bytes(first, byte_count(first.dtype, data_.shape(first)));
}

void EntryReader::append(const EntryReader& later) {
  const auto& theirs = later.data_.tensors;
  const auto first_dim = static_cast<std::uint32_t>(data_.dims.size());
  data_.dims.insert(data_.dims.end(), later.data_.dims.begin(), later.data_.dims.end());
  const std::size_t first = data_.tensors.size();
  data_.tensors.insert(data_.tensors.end(), theirs.begin(), theirs.end());
  for (TensorRecord& tensor : std::span(data_.tensors).subspan(first)) tensor.dims_at += first_dim;
  tiles_ = tiles_ && later.tiles_ && !theirs.empty() && theirs.front().begin == covered_;
  covered_ = later.covered_;
  usual_.end = later.usual_.end;
  text_ = later.text_;
}

// No sum is too large: numbers have at most 19 digits, and bytes are an eighth of a number of 64 bits.
inline void EntryReader::note_bytes(const TensorRecord& record, std::optional<std::uint64_t> bytes) noexcept {
  tiles_ = tiles_ && bytes && record.begin == covered_ && record.end == covered_ + *bytes;
  covered_ = record.end;
}

}  // namespace weighbridge
