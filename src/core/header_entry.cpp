#include "core/header_entry.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/header_pieces.hpp"

namespace weighbridge {
namespace {

// One entry on its way into a record. Any function that gives false ends the attempt.
class Attempt {
 public:
  Attempt(const char* text, std::size_t from, std::size_t most_dims, Usual& usual,
          Header::Data& data) noexcept
      : start_(text), text_(text + from), most_dims_(most_dims), usual_(usual), data_(data) {}

  bool read(TensorRecord& record) {
    if (!read_name(record)) return false;
    const HeaderPieces fields = text_;
    const std::size_t dims = data_.dims.size();
    if (read_compact(record)) return true;
    text_ = fields;
    record.rank = 0;
    data_.dims.resize(dims);
    return read_fields(record);
  }

  [[nodiscard]] const char* behind() const noexcept { return text_.at(); }

 private:
  enum Field : unsigned { kDType = 1, kShape = 2, kOffsets = 4 };

  bool read_compact(TensorRecord& record) {
    return text_.take(R"(":{"dtype":)") && read_dtype(record) && text_.take(R"(,"shape":)") &&
           read_shape(record) && text_.take(R"(,"data_offsets":)") && read_offsets(record) && text_.take('}');
  }

  bool read_fields(TensorRecord& record) {
    if (!text_.take_key("\":") || !text_.take('{')) return false;
    unsigned seen = 0;
    do {
      if (!read_field(record, seen)) return false;
    } while (text_.take_comma());
    return seen == (kDType | kShape | kOffsets) && text_.take('}');
  }

  bool read_name(TensorRecord& record) noexcept {
    if (!text_.take('"')) return false;
    const std::string_view name = text_.take_plain();
    record.name = {static_cast<std::uint32_t>(name.data() - start_), static_cast<std::uint32_t>(name.size())};
    record.text_at = record.name.at;
    record.name_hash = data_.name_hash(name);
    return name != kMetadataKey;
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
    const auto dtype = find_dtype(text_.take_plain());
    if (!dtype || !text_.take('"')) return false;
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

  // Most tensors begin where the one before ends.
  bool read_offsets(TensorRecord& record) noexcept {
    if (!text_.take('[') || !text_.take_number_like(usual_.end, record.begin) || !text_.take_comma())
      return false;
    const char* end = text_.at();
    if (!text_.take_large_number(record.end)) return false;
    usual_.end = LastNumber(end, text_.at(), record.end);
    return text_.take(']');
  }

  const char* start_;
  HeaderPieces text_;
  std::size_t most_dims_;
  Usual& usual_;
  Header::Data& data_;
};

}  // namespace

std::size_t EntryReader::read(std::size_t from) {
  constexpr std::size_t kDimBytes = sizeof(std::uint64_t);
  const std::size_t dims_before = data_.dims.size();
  const std::size_t most_dims =
      std::min<std::size_t>(std::min(rank_limit_, kMostDims), room_.left() / kDimBytes);
  Attempt attempt(text_, from, most_dims, usual_, data_);
  TensorRecord record;
  if (!attempt.read(record)) {
    data_.dims.resize(dims_before);
    return 0;
  }
  room_.take(record.rank * kDimBytes);
  data_.tensors.push_back(record);
  return static_cast<std::size_t>(attempt.behind() - text_);
}

}  // namespace weighbridge
