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

void set_name(TensorRecord& record, const char* text, std::string_view name) noexcept {
  record.name = {static_cast<std::uint32_t>(name.data() - text), static_cast<std::uint32_t>(name.size())};
  record.text_at = record.name.at;
}

// Most tensors begin where the one before ends.
inline bool take_offsets(HeaderPieces& text, LastNumber& last, TensorRecord& record) noexcept {
  if (!text.take('[') || !text.take_number_like(last, record.begin) || !text.take_comma()) return false;
  const char* end = text.at();
  if (!text.take_large_number(record.end)) return false;
  last = LastNumber(end, text.at(), record.end);
  return text.take(']');
}

// The fields of one entry on their way into a record. Any function that gives false ends the attempt.
class Attempt {
 public:
  Attempt(const char* at, std::size_t most_dims, bool may_have_more, Usual& usual,
          Header::Data& data) noexcept
      : text_(at), most_dims_(most_dims), may_have_more_(may_have_more), usual_(usual), data_(data) {}

  bool read(TensorRecord& record) {
    const HeaderPieces fields = text_;
    const std::size_t dims = data_.dims.size();
    if (read_compact(record)) return true;
    text_ = fields;
    layout_ = nullptr;
    record.rank = 0;
    data_.dims.resize(dims);
    return read_fields(record);
  }

  [[nodiscard]] const char* behind() const noexcept { return text_.at(); }

  /// Where the dtype of a compact entry stood, whose shape follows on it; null for others.
  [[nodiscard]] const char* layout() const noexcept { return layout_; }

  /// Whether a compact entry goes on with more fields.
  [[nodiscard]] bool has_more() const noexcept { return has_more_; }

 private:
  enum Field : unsigned { kDType = 1, kShape = 2, kOffsets = 4 };

  bool read_compact(TensorRecord& record) {
    if (!text_.take(R"(":{"dtype":)")) return false;
    layout_ = text_.at();
    return read_dtype(record) && text_.take(R"(,"shape":)") && read_shape(record) &&
           text_.take(R"(,"data_offsets":)") && read_offsets(record) && end();
  }

  bool end() noexcept {
    has_more_ = may_have_more_ && text_.is_at(',');
    return has_more_ || text_.take('}');
  }

  bool read_fields(TensorRecord& record) {
    if (!text_.take_key("\":") || !text_.take('{')) return false;
    unsigned seen = 0;
    do {
      if (!read_field(record, seen)) return false;
    } while (text_.take_comma());
    return seen == (kDType | kShape | kOffsets) && text_.take('}');
  }

  bool read_field(TensorRecord& record, unsigned& seen) {
    if (text_.take_key("\"dtype\":")) return first_time(seen, kDType) && read_dtype(record);
    if (text_.take_key("\"shape\":")) return first_time(seen, kShape) && read_shape(record);
    if (text_.take_key("\"data_offsets\":")) return first_time(seen, kOffsets) && read_offsets(record);
    return false;
  }

  static bool first_time(unsigned& seen, Field field) noexcept {
    const bool first = (seen & field) == 0;
    seen |= field;
    return first;
  }

  // Most tensors have the dtype of the one before, or a second one.
  bool read_dtype(TensorRecord& record) noexcept {
    if (!text_.take(usual_.dtype.word)) {
      std::swap(usual_.dtype, usual_.other_dtype);
      if (!text_.take(usual_.dtype.word)) return read_new_dtype(record);
    }
    record.dtype = usual_.dtype.dtype;
    return true;
  }

  bool read_new_dtype(TensorRecord& record) noexcept {
    const char* start = text_.at();
    if (!text_.take('"')) return false;
    std::string_view name;
    if (!text_.take_plain(name) || !text_.take('"')) return false;
    const auto dtype = find_dtype(name);
    if (!dtype) return false;
    record.dtype = *dtype;
    usual_.dtype = {*dtype, PieceWord(start, text_.at())};
    return true;
  }

  bool read_shape(TensorRecord& record) {
    const std::size_t first = data_.dims.size();
    record.dims_at = static_cast<std::uint32_t>(first);
    if (!text_.take('[')) return false;
    if (text_.take(']')) return true;
    do {
      std::uint64_t dim = 0;
      if (data_.dims.size() - first == most_dims_ || !text_.take_number(dim)) return false;
      data_.dims.push_back(dim);
    } while (text_.take_comma());
    record.rank = static_cast<std::uint32_t>(data_.dims.size() - first) & kMostDims;
    return text_.take(']');
  }

  bool read_offsets(TensorRecord& record) noexcept { return take_offsets(text_, usual_.end, record); }

  HeaderPieces text_;
  const char* layout_ = nullptr;
  std::size_t most_dims_;
  bool may_have_more_;
  bool has_more_ = false;
  Usual& usual_;
  Header::Data& data_;
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
const char* EntryReader::read_name(const char* at, TensorRecord& record) const noexcept {
  HeaderPieces text(at);
  std::string_view name;
  if (!text.take('"') || !text.take_plain(name) || name == kMetadataKey) return nullptr;
  set_name(record, text_, name);
  return text.at();
}

const char* EntryReader::read_fields(const char* at, TensorRecord& record) {
  const char* behind = read_usual(at, record);
  return behind != nullptr ? behind : read_other(at, record);
}

// Fields as most are: compact, with a dtype and shape that an earlier entry had. Gives the place behind
// them, or null for all others.
const char* EntryReader::read_usual(const char* at, TensorRecord& record) noexcept {
  HeaderPieces text(at);
  if (!text.take(R"(":{"dtype":)")) return nullptr;
  const KnownLayouts::Found known = usual_.layouts.find(text.at());
  if (known.layout == nullptr) return nullptr;
  text.skip_to(text.at() + known.length);
  if (!text.take(R"(,"data_offsets":)") || !take_offsets(text, usual_.end, record)) return nullptr;
  if (!text.take('}')) {
    if (!may_have_more_ || !text.is_at(',')) return nullptr;
    has_more_ = true;
  }
  if (!room_.take(known.layout->rank * kDimBytes)) return nullptr;
  record.dims_at = known.layout->dims_at;
  record.rank = known.layout->rank;
  record.dtype = known.layout->dtype;  // last: to write the rank, what shares its word is read
  note_bytes(record, known.layout->bytes);
  return text.at();
}

// Any others in the layouts that are known here.
const char* EntryReader::read_other(const char* at, TensorRecord& record) {
  const std::size_t dims_before = data_.dims.size();
  const std::size_t most_dims =
      std::min<std::size_t>(std::min(rank_limit_, kMostDims), room_.left() / kDimBytes);
  Attempt attempt(at, most_dims, may_have_more_, usual_, data_);
  if (!attempt.read(record)) {
    data_.dims.resize(dims_before);
    return nullptr;
  }
  room_.take(record.rank * kDimBytes);
  const auto bytes = byte_count(data_, record);
  if (bytes && attempt.layout() != nullptr) usual_.layouts.keep(attempt.layout(), Layout(*bytes, record));
  note_bytes(record, bytes);
  has_more_ = attempt.has_more();
  return attempt.behind();
}

void EntryReader::tile_from(const TensorRecord& first) noexcept {
  covered_ = first.begin;
  tiles_ = true;
  note_bytes(first, byte_count(data_, first));
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

void EntryReader::note_bytes(const TensorRecord& record, std::optional<std::uint64_t> bytes) noexcept {
  const bool forward = record.begin == covered_ && record.end >= record.begin;
  tiles_ = tiles_ && forward && bytes == record.end - record.begin;
  covered_ = record.end;
}

}  // namespace weighbridge
