// From tensors to the bytes of a header, as the reference writes them.
#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

#include <weighbridge/header.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "core/header_data.hpp"
#include "core/header_report.hpp"
#include "core/header_write.hpp"

namespace weighbridge {
namespace {

using Specs = std::span<const TensorSpec>;

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

void check_name(const TensorSpec& spec) {
  if (spec.name == kMetadataKey) {
    throw Error(ErrorCode::ReservedName, "a tensor cannot be named '__metadata__', which names the metadata",
                spec.name);
  }
  if (find_invalid_utf8(spec.name)) fail(ErrorCode::InvalidHeader, spec.name, "the name is not valid UTF-8");
}

// How much of the front all names have in common.
std::size_t common_prefix(Specs specs) {
  std::string_view common = specs.empty() ? std::string_view() : specs[0].name;
  for (const TensorSpec& spec : specs) {
    const auto differs = std::ranges::mismatch(common, spec.name).in1;
    common = common.substr(0, static_cast<std::size_t>(differs - common.begin()));
  }
  return common.size();
}

// The first characters of `text` as a number that orders as they do; short text is filled up with NUL.
std::uint64_t leading_number(std::string_view text) {
  std::array<char, sizeof(std::uint64_t)> front{};
  std::ranges::copy(text.substr(0, front.size()), front.begin());
  return load_be<std::uint64_t>(front.data());
}

// By name; a name given twice is refused here. Most comparisons are of numbers that lie side by side,
// not of names all over the memory.
std::vector<std::size_t> name_order(Specs specs) {
  using Key = std::pair<std::uint64_t, std::size_t>;
  const auto name_of = [specs](std::size_t i) -> const std::string& { return specs[i].name; };
  const std::size_t prefix = common_prefix(specs);
  std::vector<Key> keys;
  keys.reserve(specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    keys.emplace_back(leading_number(std::string_view(specs[i].name).substr(prefix)), i);
  }
  std::ranges::sort(keys, [name_of](const Key& a, const Key& b) {
    return a.first != b.first ? a.first < b.first : name_of(a.second) < name_of(b.second);
  });
  std::vector<std::size_t> order(specs.size());
  std::ranges::transform(keys, order.begin(), &Key::second);
  const auto twice = std::ranges::adjacent_find(order, {}, name_of);
  if (twice != order.end()) {
    fail(ErrorCode::DuplicateKey, name_of(*twice), "the name is given to two tensors");
  }
  return order;
}

// By dtype, descending, then by name.
std::vector<std::size_t> file_order(Specs specs) {
  std::array<std::vector<std::size_t>, kDTypeCount> of_dtype;
  for (const std::size_t i : name_order(specs))
    of_dtype[static_cast<std::size_t>(specs[i].dtype)].push_back(i);
  std::vector<std::size_t> order;
  order.reserve(specs.size());
  for (std::size_t d = kDTypeCount; d-- > 0;)
    order.insert(order.end(), of_dtype[d].begin(), of_dtype[d].end());
  return order;
}

std::uint64_t tensor_bytes(const TensorSpec& spec) {
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

void append_number(std::string& out, std::uint64_t number) {
  const fmt::format_int digits(number);
  out.append(digits.data(), digits.size());
}

void append_tensor(std::string& out, const TensorSpec& spec, std::uint64_t begin, std::uint64_t end) {
  append_json_string(out, spec.name);
  out.append(R"(:{"dtype":")").append(dtype_name(spec.dtype)).append(R"(","shape":[)");
  for (const std::uint64_t size : spec.shape) {
    if (out.back() != '[') out.push_back(',');
    append_number(out, size);
  }
  out.append(R"(],"data_offsets":[)");
  append_number(out, begin);
  out.push_back(',');
  append_number(out, end);
  out.append("]}");
}

// About what the JSON takes: enough that it seldom has to move while it grows.
std::size_t likely_size(Specs specs) {
  constexpr std::size_t kEntry = 80;  // the words, and two offsets of some ten digits
  constexpr std::size_t kDimension = 6;
  std::size_t size = 0;
  for (const TensorSpec& spec : specs) size += spec.name.size() + kEntry + kDimension * spec.shape.size();
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

}  // namespace

SerializedHeader serialize_header(std::span<const TensorSpec> specs, const std::optional<Metadata>& metadata,
                                  const HeaderStyle& style) {
  check_style(style);
  for (const TensorSpec& spec : specs) check_name(spec);

  SerializedHeader header;
  header.order = file_order(specs);
  lay_out(header, specs);
  header.bytes.assign(kHeaderStart, '\0');
  const std::size_t room = append_json(header, specs, metadata);
  pad(header.bytes, style, room);
  return header;
}

}  // namespace weighbridge
