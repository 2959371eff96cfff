#include "core/header_scan.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/header_cursor.hpp"
#include "core/header_entry.hpp"
#include "core/header_room.hpp"

namespace weighbridge {
namespace {

// `"":"",`
constexpr std::size_t kShortestPair = 6;

// Members of another layout than EntryReader's, behind which it is not tried any more.
constexpr std::size_t kMostMisses = 64;

enum class Field { Dtype, Shape, Offsets, Unknown };

Field field_of(std::string_view name) {
  if (name == "dtype") return Field::Dtype;
  if (name == "shape") return Field::Shape;
  if (name == "data_offsets") return Field::Offsets;
  return Field::Unknown;
}

// The fields of one entry as they come.
struct Entry {
  TensorRecord record;
  bool has_dtype = false;
  bool has_shape = false;
  bool has_offsets = false;
  bool sound = true;

  bool& seen(Field field) {
    if (field == Field::Dtype) return has_dtype;
    return field == Field::Shape ? has_shape : has_offsets;
  }
};

class HeaderScan {
 public:
  HeaderScan(std::span<char> text, const Limits& limits, HeaderRoom& room, HeaderReport& report,
             Header::Data& data, ScanPath path)
      : cursor_(text),
        limits_(limits),
        report_(report),
        data_(data),
        text_bytes_(text.size()),
        room_(room),
        entries_(text.data(), limits.rank, room_, data),
        misses_left_(path == ScanPath::Quick ? kMostMisses : 0),
        metadata_seen_(data.has_metadata) {}

  bool run(std::size_t from) {
    if (from != 0 ? more_from(from) : scan_brace()) {
      do {
        if (!take_usual_entry()) scan_member();
      } while (cursor_.more('}'));
    }
    scan_padding();
    return complete_;
  }

 private:
  // Whether a first member follows.
  bool scan_brace() {
    if (cursor_.peek() != '{') cursor_.fail_expected("'{' as the header's first byte");
    cursor_.take('{');
    return !cursor_.take('}');
  }

  bool more_from(std::size_t from) {
    cursor_.go_to(from);
    return cursor_.more('}');
  }

  // Gives up where the usual layout is not to be expected, so that no entry is looked at twice for long.
  bool take_usual_entry() {
    if (misses_left_ == 0) return false;
    cursor_.skip_space();
    const std::size_t behind = entries_.read_or_begin(cursor_.position());
    if (behind == 0) {
      --misses_left_;
      return false;
    }
    cursor_.go_to(behind);
    if (entries_.has_more()) scan_other_fields();
    return true;
  }

  // Those behind all three of the tensor that was taken last: none that is known may follow. What is rare is
  // not inlined, as it would take the place of what is not.
  [[gnu::noinline]] void scan_other_fields() {
    Entry entry;
    entry.record.name = data_.tensors.back().name;
    cursor_.set_subject(cursor_.view(entry.record.name));
    while (cursor_.more('}')) {
      const TextRange key = scan_key();
      field_of(cursor_.view(key)) == Field::Unknown ? skip_unknown(entry, key) : skip_duplicate(entry, key);
    }
    cursor_.set_subject({});
    if (entry.sound) return;
    data_.tensors.pop_back();
    complete_ = false;
  }

  void scan_member() {
    const TextRange name = cursor_.string("a tensor name in quotes");
    cursor_.set_subject(cursor_.view(name));
    cursor_.expect(':', "':' behind the name");
    if (cursor_.view(name) == kMetadataKey) {
      scan_metadata(name);
    } else {
      scan_tensor(name);
    }
    cursor_.set_subject({});
  }

  void scan_metadata(TextRange name) {
    if (std::exchange(metadata_seen_, true)) {
      report_.error(ErrorCode::DuplicateKey, kMetadataKey, file_offset(name),
                    [] { return "stands twice, needed at most once"; });
      return cursor_.skip_value();
    }
    if (cursor_.take_null()) return;
    cursor_.expect('{', "an object of strings, or null");
    data_.has_metadata = true;
    data_.metadata.reserve(std::min(text_bytes_ / kShortestPair, room_.left() / sizeof(MetadataRecord)));
    if (cursor_.take('}')) return;
    do scan_metadata_pair();
    while (cursor_.more('}'));
  }

  void scan_metadata_pair() {
    const TextRange key = cursor_.string("a metadata key in quotes");
    if (data_.metadata.size() >= limits_.metadata_entries) {
      fail_limit(file_offset(key), fmt::format("more than {} entries", limits_.metadata_entries));
    }
    take_room(sizeof(MetadataRecord), file_offset(key));
    cursor_.expect(':', "':' behind the metadata key");
    const TextRange value = cursor_.string("a string as the metadata value");
    data_.metadata.push_back({key, value});
  }

  void scan_tensor(TextRange name) {
    Entry entry;
    entry.record.name = name;
    entry.record.text_at = name.at;
    cursor_.expect('{', "an object with dtype, shape and data_offsets");
    if (!cursor_.take('}')) {
      do scan_field(entry);
      while (cursor_.more('}'));
    }
    report_missing(entry);
    if (entry.sound) {
      entry.record.name_hash = data_.name_hash(cursor_.view(name));
      data_.tensors.push_back(entry.record);
    } else {
      complete_ = false;
    }
  }

  TextRange scan_key() {
    const TextRange key = cursor_.string("a field name in quotes");
    cursor_.expect(':', "':' behind the field name");
    return key;
  }

  void scan_field(Entry& entry) {
    const TextRange key = scan_key();
    const Field field = field_of(cursor_.view(key));
    if (field == Field::Unknown) return skip_unknown(entry, key);
    if (std::exchange(entry.seen(field), true)) return skip_duplicate(entry, key);
    if (field == Field::Dtype) return scan_dtype(entry);
    if (field == Field::Shape) return scan_shape(entry);
    scan_offsets(entry);
  }

  [[gnu::noinline]] void skip_unknown(const Entry& entry, TextRange key) {
    report_.warning("UnknownField", cursor_.view(entry.record.name), file_offset(key), [&] {
      return fmt::format("the field {} is none that the format knows, and is ignored", quoted(key));
    });
    cursor_.skip_value();
  }

  [[gnu::noinline]] void skip_duplicate(Entry& entry, TextRange key) {
    report_.error(ErrorCode::DuplicateKey, cursor_.view(entry.record.name), file_offset(key),
                  [&] { return fmt::format("the field {} stands twice, needed once", quoted(key)); });
    entry.sound = false;
    cursor_.skip_value();
  }

  void scan_dtype(Entry& entry) {
    const TextRange name = cursor_.string("a dtype in quotes");
    const bool again = cursor_.view(name) == dtype_name(last_dtype_);
    if (const auto dtype = again ? last_dtype_ : find_dtype(cursor_.view(name))) {
      entry.record.dtype = last_dtype_ = *dtype;
      return;
    }
    report_.error(ErrorCode::InvalidHeaderDeserialization, cursor_.view(entry.record.name), file_offset(name),
                  [&] { return fmt::format("dtype {} is none of {}", quoted(name), dtype_list()); });
    entry.sound = false;
  }

  void scan_shape(Entry& entry) {
    constexpr std::string_view kNeeded = "a dimension as a non-negative integer in plain digits";
    entry.record.dims_at = static_cast<std::uint32_t>(data_.dims.size());
    cursor_.expect('[', "a shape as an array");
    if (cursor_.take(']')) return;
    do {
      check_dim_limits(entry.record.rank);
      data_.dims.push_back(cursor_.integer(kNeeded));
      ++entry.record.rank;
    } while (cursor_.more(']'));
  }

  void check_dim_limits(std::uint32_t rank) {
    const std::uint32_t most = std::min(limits_.rank, kMostDims);
    if (rank >= most) fail_limit(cursor_.offset(), fmt::format("more than {} dimensions", most));
    take_room(sizeof(std::uint64_t), cursor_.offset());
  }

  void take_room(std::size_t bytes, std::uint64_t offset) {
    if (room_.take(bytes)) return;
    fail_limit(offset, "all shapes and metadata up to here need more memory than the header's own length");
  }

  void scan_offsets(Entry& entry) {
    constexpr std::string_view kNeeded = "an offset as a non-negative integer in plain digits";
    cursor_.expect('[', "data_offsets as an array of two");
    entry.record.begin = cursor_.integer(kNeeded);
    cursor_.expect(',', "',' and the second of two data_offsets");
    entry.record.end = cursor_.integer(kNeeded);
    cursor_.expect(']', "']' behind the second of two data_offsets");
  }

  void report_missing(Entry& entry) {
    require_field(entry, entry.has_dtype, "dtype");
    require_field(entry, entry.has_shape, "shape");
    require_field(entry, entry.has_offsets, "data_offsets");
  }

  void require_field(Entry& entry, bool present, std::string_view field) {
    if (present) return;
    report_.error(ErrorCode::InvalidHeaderDeserialization, cursor_.view(entry.record.name),
                  file_offset(entry.record.name),
                  [&] { return fmt::format("the field '{}' is missing, needed once", field); });
    entry.sound = false;
  }

  void scan_padding() {
    const std::uint64_t start = cursor_.offset();
    if (cursor_.skip_space()) {
      report_.warning("OddPadding", {}, start,
                      [] { return "the padding holds white space other than spaces"; });
    }
    if (!cursor_.at_end()) cursor_.fail_expected("nothing but spaces behind the last '}'");
  }

  [[nodiscard]] std::string quoted(TextRange text) const {
    return fmt::format("'{}'", short_text(cursor_.view(text)));
  }

  static std::string dtype_list() {
    std::string list;
    for (const auto& row : detail::kDTypes) list.append(list.empty() ? "" : ", ").append(row.name);
    return list;
  }

  [[noreturn]] void fail_limit(std::uint64_t offset, std::string_view what) const {
    throw HeaderReport::make_error(ErrorCode::LimitExceeded, cursor_.subject(), offset, what);
  }

  HeaderCursor cursor_;
  const Limits& limits_;
  HeaderReport& report_;
  Header::Data& data_;
  std::size_t text_bytes_;
  HeaderRoom& room_;
  EntryReader entries_;
  std::size_t misses_left_;
  DType last_dtype_ = DType::F32;
  bool metadata_seen_;
  bool complete_ = true;
};

}  // namespace

bool scan_header(std::span<char> text, const Limits& limits, HeaderRoom& room, HeaderReport& report,
                 Header::Data& data, ScanStart start) {
  return HeaderScan(text, limits, room, report, data, start.path).run(start.place);
}

}  // namespace weighbridge
