// From tensors to the bytes of a header, as the reference writes them.
#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <numeric>
#include <vector>

#include <weighbridge/header.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "core/header_data.hpp"
#include "core/header_report.hpp"

namespace weighbridge {
namespace {

constexpr std::uint64_t kLargestHeader = 100'000'000;
constexpr std::uint32_t kLeastAlignment = 8;
constexpr std::uint32_t kMostAlignment = 4096;

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

void check_metadata(const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (!find_invalid_utf8(key) && !find_invalid_utf8(value)) continue;
    fail(ErrorCode::InvalidHeader, kMetadataKey,
         fmt::format("key '{}' or its value is not valid UTF-8", short_text(key)));
  }
}

// By name; a name given twice is refused here.
std::vector<std::size_t> name_order(Specs specs) {
  const auto name_of = [specs](std::size_t i) -> const std::string& { return specs[i].name; };
  std::vector<std::size_t> order(specs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, name_of);
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

void append_metadata(std::string& out, const Metadata& metadata) {
  append_json_string(out, kMetadataKey);
  out.append(":{");
  for (const auto& [key, value] : metadata) {
    if (out.back() != '{') out.push_back(',');
    append_json_string(out, key);
    out.push_back(':');
    append_json_string(out, value);
  }
  out.push_back('}');
}

void append_tensor(std::string& out, const TensorSpec& spec, std::uint64_t begin, std::uint64_t end) {
  append_json_string(out, spec.name);
  fmt::format_to(std::back_inserter(out), R"(:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                 dtype_name(spec.dtype), fmt::join(spec.shape, ","), begin, end);
}

void append_json(SerializedHeader& header, Specs specs, const std::optional<Metadata>& metadata) {
  std::string& out = header.bytes;
  out.push_back('{');
  if (metadata) append_metadata(out, *metadata);
  for (std::size_t i = 0; i < header.order.size(); ++i) {
    if (out.back() != '{') out.push_back(',');
    const bool last = i + 1 == header.order.size();
    append_tensor(out, specs[header.order[i]], header.data_offsets[i],
                  last ? header.data_bytes : header.data_offsets[i + 1]);
  }
  out.push_back('}');
}

// Fills up with spaces and states the length in front.
void pad(std::string& out, const HeaderStyle& style) {
  const std::uint64_t least = checked_add(out.size(), style.slack).value_or(UINT64_MAX);
  const std::uint64_t most = kHeaderStart + kLargestHeader;
  const std::uint64_t past_end = style.alignment - 1;
  const std::uint64_t size = least > most ? least : (least + past_end) / style.alignment * style.alignment;
  if (size > most) {
    throw Error(ErrorCode::HeaderTooLarge, fmt::format("the header would take {} bytes, the format allows {}",
                                                       size - kHeaderStart, kLargestHeader));
  }
  out.resize(size, ' ');
  store_le<std::uint64_t>(out.data(), size - kHeaderStart);
}

}  // namespace

SerializedHeader serialize_header(std::span<const TensorSpec> specs, const std::optional<Metadata>& metadata,
                                  const HeaderStyle& style) {
  check_style(style);
  for (const TensorSpec& spec : specs) check_name(spec);
  if (metadata) check_metadata(*metadata);

  SerializedHeader header;
  header.order = file_order(specs);
  lay_out(header, specs);
  header.bytes.assign(kHeaderStart, '\0');
  append_json(header, specs, metadata);
  pad(header.bytes, style);
  return header;
}

}  // namespace weighbridge
