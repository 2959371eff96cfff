// From tensors to the bytes of a header, as the reference writes them.
#include "core/header_serialize.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "core/header_data.hpp"
#include "core/header_report.hpp"
#include "core/header_write.hpp"
#include "core/name_order.hpp"

namespace weighbridge {
namespace {

using Specs = std::span<const SpecView>;

[[noreturn]] void fail(ErrorCode code, std::string_view name, std::string_view what) {
  throw Error(code, subject_prefix(name).append(what), std::string(name));
}

void check_style(const HeaderStyle& style) {
  if (std::has_single_bit(style.alignment) && style.alignment >= kLeastAlignment &&
      style.alignment <= kMostAlignment) {
    return;
  }
  throw Error(ErrorCode::InvalidArgument, fmt::format("an alignment of {} is no power of two from {} to {}",
                                                      style.alignment, kLeastAlignment, kMostAlignment));
}

void check_name(const SpecView& spec) {
  if (spec.name == kMetadataKey) {
    throw Error(ErrorCode::ReservedName, "a tensor cannot be named '__metadata__', which names the metadata",
                std::string(spec.name));
  }
  if (find_invalid_utf8(spec.name)) fail(ErrorCode::InvalidHeader, spec.name, "the name is not valid UTF-8");
}

// By name; a name given twice is refused here.
std::pmr::vector<std::uint32_t> name_order(Specs specs) {
  std::vector<std::string_view> names(specs.size());
  std::ranges::transform(specs, names.begin(), &SpecView::name);
  NameOrder order = order_names(names);
  if (order.twice) {
    fail(ErrorCode::DuplicateKey, names[*order.twice], "the name is given to two tensors");
  }
  return std::move(order.positions);
}

// By dtype, descending, then by name.
std::vector<std::size_t> file_order(Specs specs) {
  std::array<std::size_t, kDTypeCount + 1> starts{};  // of each dtype, the last one first
  const auto rank_of = [specs](std::size_t i) {
    return kDTypeCount - 1 - static_cast<std::size_t>(specs[i].dtype);
  };
  for (std::size_t i = 0; i < specs.size(); ++i) ++starts[rank_of(i) + 1];
  for (std::size_t rank = 0; rank < kDTypeCount; ++rank) starts[rank + 1] += starts[rank];
  std::vector<std::size_t> order(specs.size());
  for (const std::size_t i : name_order(specs)) order[starts[rank_of(i)]++] = i;
  return order;
}

std::uint64_t tensor_bytes(const SpecView& spec) {
  try {
    return byte_size(spec.dtype, spec.shape);
  } catch (const Error& error) {
    fail(error.code(), spec.name, error.what());
  }
}

// Sets the offsets, back to back, and their total.
void lay_out(SerializedHeader& header, Specs specs) {
  header.data_offsets.reserve(specs.size());
  for (const std::size_t i : header.order) {
    header.data_offsets.push_back(header.data_bytes);
    const auto end = checked_add(header.data_bytes, tensor_bytes(specs[i]));
    if (!end) {
      fail(ErrorCode::ValidationOverflow, specs[i].name, "the data section would not fit 64 bits here");
    }
    header.data_bytes = *end;
  }
}

/// What follows the name of an entry. Most entries fit, so that the header grows by one piece each.
class EntryText {
 public:
  explicit EntryText(std::string& out) : out_(out) {}
  EntryText(const EntryText&) = delete;
  EntryText& operator=(const EntryText&) = delete;
  ~EntryText() = default;

  EntryText& operator<<(std::string_view text) {
    make_room(text.size());
    end_ = std::ranges::copy(text, end_).out;
    return *this;
  }
  EntryText& operator<<(std::uint64_t number) {
    make_room(kMostDigits);
    end_ = std::to_chars(end_, end_ + kMostDigits, number).ptr;
    return *this;
  }
  void flush() {
    out_.append(text_.data(), end_);
    end_ = text_.data();
  }

 private:
  static constexpr std::size_t kMostDigits = 20;

  void make_room(std::size_t size) {
    if (size > static_cast<std::size_t>(text_.data() + text_.size() - end_)) flush();
  }

  std::string& out_;
  std::array<char, 256> text_;
  char* end_ = text_.data();
};

void append_tensor(std::string& out, const SpecView& spec, std::uint64_t begin, std::uint64_t end) {
  append_json_string(out, spec.name);
  EntryText text(out);
  text << R"(:{"dtype":")" << dtype_name(spec.dtype) << R"(","shape":[)";
  for (std::size_t i = 0; i < spec.shape.size(); ++i) {
    if (i > 0) text << ",";
    text << spec.shape[i];
  }
  text << R"(],"data_offsets":[)" << begin << "," << end << "]}";
  text.flush();
}

// About what the JSON takes: enough that it seldom has to move while it grows.
std::size_t likely_size(Specs specs) {
  constexpr std::size_t kEntry = 80;  // the words, and two offsets of some ten digits
  constexpr std::size_t kDimension = 6;
  std::size_t size = 0;
  for (const SpecView& spec : specs) size += spec.name.size() + kEntry + kDimension * spec.shape.size();
  return size;
}

// Gives where there is room for more metadata.
std::size_t append_json(SerializedHeader& header, Specs specs, const std::optional<Metadata>& metadata) {
  std::string& out = header.bytes;
  out.reserve(likely_size(specs));
  out.push_back('{');
  if (metadata) append_metadata(out, *metadata);
  const std::size_t metadata_end = out.size();
  for (std::size_t i = 0; i < header.order.size(); ++i) {
    if (out.back() != '{') out.push_back(',');
    const bool last = i + 1 == header.order.size();
    append_tensor(out, specs[header.order[i]], header.data_offsets[i],
                  last ? header.data_bytes : header.data_offsets[i + 1]);
  }
  out.push_back('}');
  return metadata ? metadata_end : out.size();
}

// Fills up with spaces, the slack among them at `room`, and states the length in front.
void pad(std::string& out, const HeaderStyle& style, std::size_t room) {
  const std::uint64_t least = checked_add(out.size(), style.slack).value_or(UINT64_MAX);
  const std::uint64_t size = padded_header_size(least, style.alignment);
  out.insert(room, style.slack, ' ');
  out.resize(size, ' ');
  store_le<std::uint64_t>(out.data(), size - kHeaderStart);
}

// Refuses at once what would not fit anyway, so that positions may be 32 bits wide.
void check_count(Specs specs) {
  constexpr std::uint64_t kLeastEntry = 49;
  padded_header_size(kLeastEntry * specs.size(), kLeastAlignment);
}

}  // namespace

SerializedHeader serialize_specs(Specs specs, const std::optional<Metadata>& metadata,
                                 const HeaderStyle& style) {
  check_style(style);
  check_count(specs);
  for (const SpecView& spec : specs) check_name(spec);

  SerializedHeader header;
  header.order = file_order(specs);
  lay_out(header, specs);
  header.bytes.assign(kHeaderStart, '\0');
  const std::size_t room = append_json(header, specs, metadata);
  pad(header.bytes, style, room);
  return header;
}

SerializedHeader serialize_header(std::span<const TensorSpec> specs, const std::optional<Metadata>& metadata,
                                  const HeaderStyle& style) {
  std::vector<SpecView> views;
  views.reserve(specs.size());
  for (const TensorSpec& spec : specs) {
    views.push_back({.name = spec.name, .dtype = spec.dtype, .shape = spec.shape});
  }
  return serialize_specs(views, metadata, style);
}

}  // namespace weighbridge
