#include "formats/gguf/header.hpp"

#include <algorithm>
#include <bit>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "formats/gguf/cursor.hpp"

namespace weighbridge::gguf {
namespace {

constexpr std::uint64_t kLeastPair = 13;    ///< An empty key, a type, a value of one byte.
constexpr std::uint64_t kLeastRecord = 24;  ///< An empty name, no dimension, type, offset.
constexpr std::uint64_t kLongestKey = 65535;

[[noreturn]] void refuse(const std::string& what, std::uint64_t at, std::string_view subject = {}) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("the GGUF file: {}", what), std::string(subject),
              at);
}

void check_limit(std::uint64_t count, std::uint64_t limit, std::string_view what) {
  if (count <= limit) return;
  throw Error(ErrorCode::LimitExceeded,
              fmt::format("the GGUF file has {} {}, the limit is {}", count, what, limit));
}

class HeaderReader {
 public:
  HeaderReader(const ByteSource& source, const Limits& limits)
      : source_(source), limits_(limits), in_(source) {}

  FileHeader run() {
    parse_start();
    const std::uint64_t tensors = in_.take_count(kLeastRecord, "tensors");
    const std::uint64_t values = in_.take_count(kLeastPair, "key-value pairs");
    check_limit(tensors, limits_.tensors, "tensors");
    check_limit(values, limits_.metadata_entries, "key-value pairs");
    for (std::uint64_t i = 0; i < values; ++i) parse_pair();
    check_unique(header_.values, &KeyValue::key, "key");
    parse_alignment();
    for (std::uint64_t i = 0; i < tensors; ++i) parse_record();
    check_unique(header_.tensors, &TensorRecord::name, "tensor");
    place_tensors();
    return std::move(header_);
  }

 private:
  void parse_start() {
    in_.skip(kMagic.size(), "its magic bytes");
    const std::uint64_t at = in_.position();
    auto version = in_.take<std::uint32_t>("its version");
    // A version is a small number: one without low bits is of the other byte order.
    if ((version & 0xFFFFU) == 0) {
      header_.big_endian = true;
      in_.set_big_endian(true);
      version = reverse_bytes(version);
    }
    if (version != 2 && version != 3) {
      throw Error(ErrorCode::Unsupported,
                  fmt::format("version {} of GGUF is not supported; 2 and 3 are", version), {}, at);
    }
    header_.version = version;
  }

  std::string take_name(std::uint64_t most, std::string_view what) {
    const std::uint64_t at = in_.position();
    std::string name(in_.take_text(most, what));
    if (find_invalid_utf8(name)) refuse(fmt::format("{} '{}' is not UTF-8", what, printable(name)), at, name);
    return name;
  }

  ValueType take_type(std::string_view key) {
    const std::uint64_t at = in_.position();
    const auto type = in_.take<std::uint32_t>("the type of a value");
    if (type >= kValueTypes) {
      refuse(fmt::format("key '{}' has a value of type {}; the last one is {}", printable(key), type,
                         kValueTypes - 1),
             at, key);
    }
    return static_cast<ValueType>(type);
  }

  void parse_pair() {
    KeyValue pair{.key = take_name(kLongestKey, "a key")};
    pair.type = take_type(pair.key);
    if (pair.type == ValueType::Array) parse_array_type(pair);
    pair.offset = in_.position();
    walk_values(pair);
    pair.bytes = in_.position() - pair.offset;
    header_.values.push_back(std::move(pair));
  }

  void parse_array_type(KeyValue& pair) {
    const std::uint64_t at = in_.position();
    pair.array = true;
    pair.type = take_type(pair.key);
    if (pair.type == ValueType::Array) {
      throw Error(
          ErrorCode::Unsupported,
          fmt::format("key '{}' has an array of arrays, which no reader of GGUF takes", printable(pair.key)),
          pair.key, at);
    }
    const std::uint64_t least = pair.type == ValueType::String ? 8 : value_bytes(pair.type);
    pair.count = in_.take_count(least, "items of an array");
  }

  void walk_values(const KeyValue& pair) {
    if (pair.type == ValueType::String) {
      for (std::uint64_t i = 0; i < pair.count; ++i) {
        in_.skip(in_.take<std::uint64_t>("the length of a string"), "a string");
      }
    } else if (pair.type == ValueType::Bool) {
      for (std::uint64_t i = 0; i < pair.count; ++i) check_boolean(pair);
    } else {
      in_.skip(pair.count * value_bytes(pair.type), "a value");  // counted against the file already
    }
  }

  void check_boolean(const KeyValue& pair) {
    const std::uint64_t at = in_.position();
    const auto value = in_.take<std::uint8_t>("a value");
    if (value <= 1) return;
    refuse(fmt::format("key '{}' has the boolean {}, which is neither 0 nor 1", printable(pair.key), value),
           at, pair.key);
  }

  void parse_alignment() {
    const KeyValue* const pair = header_.find("general.alignment");
    if (pair == nullptr) return;
    if (pair->type != ValueType::U32 || pair->array) {
      refuse("general.alignment is no u32", pair->offset, pair->key);
    }
    Cursor at(source_, pair->offset, header_.big_endian);
    header_.alignment = at.take<std::uint32_t>("general.alignment");
    if (!std::has_single_bit(header_.alignment) || header_.alignment > kLargestAlignment) {
      refuse(fmt::format("general.alignment is {}, which is no power of two up to {}", header_.alignment,
                         kLargestAlignment),
             pair->offset, pair->key);
    }
  }

  void parse_record() {
    TensorRecord tensor{.name = take_name(limits_.name_bytes, "the name of a tensor")};
    const std::uint64_t at = in_.position();
    const auto dimensions = in_.take<std::uint32_t>("the number of dimensions");
    if (dimensions > kMostDimensions) {
      refuse(fmt::format("tensor '{}' has {} dimensions, {} are possible", printable(tensor.name), dimensions,
                         kMostDimensions),
             at, tensor.name);
    }
    tensor.shape.resize(dimensions);
    for (std::size_t i = dimensions; i-- > 0;) tensor.shape[i] = in_.take<std::uint64_t>("a dimension");
    tensor.type = take_tensor_type(tensor.name);
    tensor.bytes = count_bytes(tensor, at);
    tensor.offset = in_.take<std::uint64_t>("the offset of a tensor");
    header_.tensors.push_back(std::move(tensor));
  }

  const TensorType* take_tensor_type(const std::string& name) {
    const std::uint64_t at = in_.position();
    const auto id = in_.take<std::uint32_t>("the type of a tensor");
    if (const TensorType* const type = find_tensor_type(id)) return type;
    const auto removed = find_removed_type(id);
    throw Error(ErrorCode::Unsupported,
                removed ? fmt::format("tensor '{}' is of type {} ({}), which was taken out of GGUF",
                                      printable(name), id, *removed)
                        : fmt::format("tensor '{}' is of type {}, which is not known", printable(name), id),
                name, at);
  }

  static std::uint64_t count_bytes(const TensorRecord& tensor, std::uint64_t at) {
    const TensorType& type = *tensor.type;
    const std::uint64_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
    if (row % type.elements != 0) {
      refuse(fmt::format("tensor '{}' {} has rows of {} elements; blocks of {} have {}",
                         printable(tensor.name), shape_text(tensor.shape), row, type.name, type.elements),
             at, tensor.name);
    }
    const auto bytes = checked_mul(element_count(tensor.shape) / type.elements, type.bytes);
    if (!bytes || *bytes > INT64_MAX) {
      throw Error(ErrorCode::ValidationOverflow,
                  fmt::format("tensor '{}' {} {} has 2^63 bytes or more", printable(tensor.name), type.name,
                              shape_text(tensor.shape)),
                  tensor.name, at);
    }
    return *bytes;
  }

  /// Sorted, because a hash of names that a file chooses can be made slow.
  template <class Items, class Name>
  static void check_unique(const Items& items, Name name, std::string_view what) {
    std::vector<std::string_view> names;
    names.reserve(items.size());
    for (const auto& item : items) names.push_back(item.*name);
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice == names.end()) return;
    throw Error(ErrorCode::DuplicateKey,
                fmt::format("the GGUF file has {} '{}' twice", what, printable(*twice)), std::string(*twice));
  }

  std::optional<std::uint64_t> padded(std::uint64_t at) const {
    const std::uint64_t mask = header_.alignment - 1;
    const auto sum = checked_add(at, mask);
    return sum ? std::optional(*sum & ~mask) : std::nullopt;
  }

  /// The offset of each tensor must be the end of the one before it: so none overlap, and none are hidden.
  void place_tensors() {
    const std::uint64_t begin = padded(in_.position()).value_or(UINT64_MAX);
    std::uint64_t next = 0;
    for (TensorRecord& tensor : header_.tensors) {
      if (tensor.offset != next) {
        refuse(fmt::format("tensor '{}' is at byte {} of the data; behind the one before it is byte {}",
                           printable(tensor.name), tensor.offset, next),
               in_.position(), tensor.name);
      }
      const auto start = checked_add(begin, next);
      if (!start || !range_fits(*start, tensor.bytes, source_.size())) {
        refuse(
            fmt::format("tensor '{}' has {} bytes from byte {} of the data on, which starts at byte {}; the "
                        "file has {}",
                        printable(tensor.name), tensor.bytes, next, begin, source_.size()),
            in_.position(), tensor.name);
      }
      tensor.offset = *start;
      next = padded(next + tensor.bytes).value_or(UINT64_MAX);
    }
    header_.end = checked_add(begin, next).value_or(UINT64_MAX);
  }

  const ByteSource& source_;
  const Limits& limits_;
  Cursor in_;
  FileHeader header_;
};

}  // namespace

const KeyValue* FileHeader::find(std::string_view key) const noexcept {
  const auto found = std::ranges::find(values, key, &KeyValue::key);
  return found == values.end() ? nullptr : &*found;
}

FileHeader parse_file_header(const ByteSource& source, const Limits& limits) {
  return HeaderReader(source, limits).run();
}

}  // namespace weighbridge::gguf
