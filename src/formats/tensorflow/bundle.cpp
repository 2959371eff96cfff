#include "formats/tensorflow/bundle.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "formats/tensorflow/failure.hpp"
#include "formats/tensorflow/table.hpp"
#include "formats/tensorflow/wire.hpp"

namespace weighbridge::tensorflow {
namespace {

constexpr std::size_t kMostDimensions = 254;  // TensorFlow's own bound

void need_bytes(const Field& field, bool bytes) {
  if (field.is_bytes != bytes) refuse(fmt::format("field {} of a message is of the wrong kind", field.id));
}

std::uint64_t number_of(const Field& field) {
  need_bytes(field, false);
  return field.number;
}

std::string_view bytes_of(const Field& field) {
  need_bytes(field, true);
  return field.bytes;
}

/// TensorShapeProto: dim = 2 { size = 1 }, unknown_rank = 3.
Shape parse_shape(std::string_view text) {
  Shape shape;
  Wire in(text);
  while (const auto field = in.take_field()) {
    if (field->id == 3 && number_of(*field) != 0) refuse("a shape has no known rank");
    if (field->id != 2) continue;
    std::uint64_t size = 0;
    Wire dimension(bytes_of(*field));
    while (const auto inner = dimension.take_field()) {
      if (inner->id == 1) size = number_of(*inner);
    }
    if (size > INT64_MAX) refuse("a dimension is negative");
    if (shape.size() == kMostDimensions)
      refuse(fmt::format("a shape has more than {} dimensions", kMostDimensions));
    shape.push_back(size);
  }
  return shape;
}

/// TensorSliceProto: extent = 1 { start = 1, length = 2 }; without a length all of the dimension.
Slice parse_slice(std::string_view text) {
  Slice slice;
  Wire in(text);
  while (const auto field = in.take_field()) {
    if (field->id != 1) continue;
    if (slice.size() == kMostDimensions)
      refuse(fmt::format("a part has more than {} dimensions", kMostDimensions));
    Extent extent;
    Wire inner(bytes_of(*field));
    while (const auto number = inner.take_field()) {
      if (number_of(*number) > INT64_MAX) refuse("a part of a variable starts or ends below 0");
      if (number->id == 1) extent.start = static_cast<std::int64_t>(number->number);
      if (number->id == 2) extent.length = static_cast<std::int64_t>(number->number);
    }
    slice.push_back(extent);
  }
  return slice;
}

/// BundleEntryProto.
Entry parse_entry(std::string_view text) {
  Entry entry;
  Wire in(text);
  while (const auto field = in.take_field()) {
    switch (field->id) {
      case 1:
        entry.type = number_of(*field);
        break;
      case 2:
        entry.shape = parse_shape(bytes_of(*field));
        break;
      case 3:
        entry.shard = number_of(*field);
        break;
      case 4:
        entry.offset = number_of(*field);
        break;
      case 5:
        entry.bytes = number_of(*field);
        break;
      case 6:
        entry.crc = static_cast<std::uint32_t>(number_of(*field));
        break;
      case 7:
        entry.slices.push_back(parse_slice(bytes_of(*field)));
        break;
      default:
        break;
    }
  }
  return entry;
}

/// BundleHeaderProto; version 1 has a message where this has the number of files.
void parse_header(std::string_view text, Index& index) {
  Wire in(text);
  while (const auto field = in.take_field()) {
    if (field->id == 1 && field->is_bytes) {
      throw Error(
          ErrorCode::Unsupported,
          "this is a TensorFlow checkpoint of version 1; saving it with any TensorFlow since 0.12 makes "
          "one of version 2, which is read");
    }
    if (field->id == 1) index.shards = number_of(*field);
    if (field->id == 2) index.big_endian = number_of(*field) != 0;
  }
}

void append_number_increasing(std::string& out, std::uint64_t value) {
  std::string bytes;
  for (; value > 0; value >>= 8) bytes.insert(bytes.begin(), static_cast<char>(value));
  out.push_back(static_cast<char>(bytes.size()));
  out += bytes;
}

/// 0x00 and 0xFF are escaped, so that the end sorts before everything.
void append_string(std::string& out, std::string_view text) {
  for (const char c : text) {
    out.push_back(c);
    if (c == '\0') out.push_back('\xFF');
    if (c == '\xFF') out.push_back('\0');
  }
  out += std::string_view("\0\1", 2);
}

/// As many ones in front as bytes, then the number; a negative one is the complement of its complement.
void append_signed_increasing(std::string& out, std::int64_t value) {
  const auto magnitude = static_cast<std::uint64_t>(value < 0 ? ~value : value);
  std::size_t bytes = 1;
  while (bytes < 10 && magnitude >> (7 * bytes - 1) != 0) ++bytes;
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < std::min<std::size_t>(text.size(), 8); ++i) {
    text[text.size() - 1 - i] = static_cast<char>(magnitude >> (8 * i));
  }
  for (std::size_t bit = 0; bit < text.size(); ++bit) {
    text[bit / 8] = static_cast<char>(text[bit / 8] | static_cast<char>(0x80U >> (bit % 8)));
  }
  if (value < 0) {
    for (char& c : text) c = static_cast<char>(~c);
  }
  out += text;
}

class IndexReader {
 public:
  explicit IndexReader(const Limits& limits) : limits_(limits) {}

  void add(std::string_view key, std::string_view value) {
    if (!started_) {
      if (!key.empty()) refuse("the index does not start with its header");
      started_ = true;
      return parse_header(value, index_);
    }
    if (++entries_ > limits_.tensors) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("the TensorFlow checkpoint has more than {} entries", limits_.tensors));
    }
    const bool is_part = key.starts_with('\0');
    if (!is_part && find_invalid_utf8(key)) {
      refuse(fmt::format("the name '{}' is not UTF-8", printable(key)), std::string(key));
    }
    Entry entry = parse_entry(value);
    if (entry.slices.empty() && entry.shard >= index_.shards) {
      refuse(fmt::format("tensor '{}' is in file {} of {}", printable(key), entry.shard, index_.shards),
             std::string(key));
    }
    (is_part ? index_.parts : index_.tensors).emplace(key, std::move(entry));
  }

  Index finish() {
    if (!started_) refuse("the index is empty");
    return std::move(index_);
  }

 private:
  const Limits& limits_;
  Index index_;
  bool started_ = false;
  std::uint64_t entries_ = 0;
};

}  // namespace

Index read_index(const ByteSource& source, const Limits& limits) {
  IndexReader reader(limits);
  visit_table(source, limits, [&](std::string_view key, std::string_view value) { reader.add(key, value); });
  return reader.finish();
}

std::string slice_key(std::string_view name, const Slice& slice) {
  std::string key;
  append_number_increasing(key, 0);
  append_string(key, name);
  append_number_increasing(key, slice.size());
  for (const Extent& extent : slice) {
    append_signed_increasing(key, extent.start);
    append_signed_increasing(key, extent.length);
  }
  return key;
}

}  // namespace weighbridge::tensorflow
