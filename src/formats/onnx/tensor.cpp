#include "formats/onnx/tensor.hpp"

#include <algorithm>
#include <charconv>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/onnx/entries.hpp"
#include "formats/onnx/once.hpp"

namespace weighbridge::onnx {
namespace {

constexpr std::uint64_t kMostExternalEntries = 64;
constexpr std::uint64_t kExternal = 1;  ///< TensorProto.DataLocation.

struct Entry {
  std::string key;
  std::string value;
};

Entry parse_entry(Window& window, Extent message, const Limits& limits) {
  Entry entry;
  Once once;
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    if (field->number > 2) continue;
    once.check(*field, "an external_data entry");
    (field->number == 1 ? entry.key : entry.value) =
        read_text(window, *field, "an external_data entry", limits.name_bytes);
  }
  return entry;
}

/// What int() of Python would take of it, less signs, blanks and underscores.
std::uint64_t parse_number(const Entry& entry, std::uint64_t at) {
  std::uint64_t value = 0;
  const char* const end = entry.value.data() + entry.value.size();
  const auto [stopped, problem] = std::from_chars(entry.value.data(), end, value);
  if (problem == std::errc{} && stopped == end && !entry.value.empty()) return value;
  refuse_wire(fmt::format("external_data has '{}' for its {}, which is no number of bytes",
                          printable(entry.value), entry.key),
              at);
}

class TensorParser {
 public:
  TensorParser(Window& window, Extent message, const Limits& limits) : window_(window), limits_(limits) {
    tensor_.message = message;
  }

  TensorProto run() {
    FieldReader reader(window_, tensor_.message);
    while (const auto field = reader.next()) take(*field);
    tensor_.dims = parse_dims(window_, tensor_.message, tensor_field::kDims, limits_);
    if (external_ == kExternal && !tensor_.external) tensor_.external.emplace();
    if (external_ != kExternal) tensor_.external.reset();  // the default location is this file
    if (external_ > kExternal)
      refuse_wire(fmt::format("data_location {} is not known", external_), tensor_.message.begin);
    return std::move(tensor_);
  }

 private:
  void take(const Field& field) {
    switch (field.number) {
      case tensor_field::kDataType:
        once_.check(field, "data_type");
        require_wire(field, Wire::Varint, "data_type");
        tensor_.type = static_cast<std::int32_t>(static_cast<std::uint32_t>(field.value));
        return;
      case tensor_field::kSegment:
        throw Error(ErrorCode::Unsupported, "ONNX file: a tensor in segments, which no runtime reads", {},
                    field.begin);
      case tensor_field::kName:
        once_.check(field, "the name of a tensor");
        tensor_.name = read_text(window_, field, "the name of a tensor", limits_.name_bytes);
        return;
      case tensor_field::kRawData:
        once_.check(field, "raw_data");
        require_wire(field, Wire::Bytes, "raw_data");
        tensor_.raw = field.content;
        return;
      case tensor_field::kExternalData:
        return take_external(field);
      case tensor_field::kDataLocation:
        once_.check(field, "data_location");
        require_wire(field, Wire::Varint, "data_location");
        external_ = field.value;
        return;
      case tensor_field::kFloatData:
      case tensor_field::kInt32Data:
      case tensor_field::kStringData:
      case tensor_field::kInt64Data:
      case tensor_field::kDoubleData:
      case tensor_field::kUint64Data:
        return take_typed(field);
      default:
        return;  // texts and metadata
    }
  }

  void take_typed(const Field& field) {
    const bool first = tensor_.typed.empty();
    if (std::ranges::find(tensor_.typed, field.number) == tensor_.typed.end())
      tensor_.typed.push_back(field.number);
    tensor_.packed.reset();
    if (first && field.wire == Wire::Bytes) tensor_.packed = field.content;
  }

  void take_external(const Field& field) {
    require_wire(field, Wire::Bytes, "external_data");
    if (!tensor_.external) tensor_.external.emplace();
    if (++entries_ > kMostExternalEntries)
      refuse_wire("a tensor has too many external_data entries", field.begin);
    Entry entry = parse_entry(window_, field.content, limits_);
    if (std::ranges::find(keys_, entry.key) != keys_.end()) {
      refuse_wire(fmt::format("external_data has its {} twice", printable(entry.key)), field.begin);
    }
    keys_.push_back(entry.key);
    External& external = *tensor_.external;
    if (entry.key == "location") {
      external.location = std::move(entry.value);
    } else if (entry.key == "offset") {
      external.offset = parse_number(entry, field.begin);
    } else if (entry.key == "length") {
      external.length = parse_number(entry, field.begin);
    } else if (entry.key == "checksum") {
      external.has_checksum = true;
    } else {
      external.ignored.push_back(std::move(entry.key));
    }
  }

  Window& window_;
  const Limits& limits_;
  TensorProto tensor_;
  Once once_;
  std::uint64_t external_ = 0;
  std::uint64_t entries_ = 0;
  std::vector<std::string> keys_;
};

}  // namespace

TensorProto parse_tensor(Window& window, Extent message, const Limits& limits) {
  return TensorParser(window, message, limits).run();
}

Shape parse_dims(Window& window, Extent message, std::uint32_t number, const Limits& limits) {
  Shape dims;
  EntryReader entries(window, message, number, Entries::Int64);
  while (const auto dim = entries.next()) {
    if (*dim > INT64_MAX) refuse_wire("a tensor has a negative dimension", message.begin);
    if (dims.size() == limits.rank) {
      throw Error(
          ErrorCode::LimitExceeded,
          fmt::format("ONNX file: a tensor of more than {} dimensions (byte {})", limits.rank, message.begin),
          {}, message.begin);
    }
    dims.push_back(*dim);
  }
  return dims;
}

std::string tensor_text(const TensorProto& tensor) {
  return tensor.name.empty() ? fmt::format("tensor at byte {}", tensor.message.begin)
                             : fmt::format("tensor '{}'", printable(tensor.name));
}

void refuse_tensor(const TensorProto& tensor, const std::string& what) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("{}: {}", tensor_text(tensor), what), tensor.name,
              tensor.message.begin);
}

std::uint64_t data_bytes(const TensorProto& tensor, const ElementType& type) {
  std::uint64_t count = 1;
  for (const std::uint64_t dim : tensor.dims) {
    const auto product = checked_mul(count, dim);
    if (!product)
      refuse_tensor(tensor, fmt::format("its shape {} has 2^64 or more elements", shape_text(tensor.dims)));
    count = *product;
  }
  const auto bits = checked_mul(count, type.bits);
  if (!bits || *bits > UINT64_MAX - 7) {
    refuse_tensor(tensor, fmt::format("{} {} has 2^61 or more bytes", type.name, shape_text(tensor.dims)));
  }
  return (*bits + 7) / 8;
}

}  // namespace weighbridge::onnx
