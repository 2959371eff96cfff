#include "core/header_write.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "core/header_data.hpp"
#include "core/header_report.hpp"

namespace weighbridge {
namespace {

constexpr std::uint64_t kLargestHeader = 100'000'000;

void check_metadata(const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (!find_invalid_utf8(key) && !find_invalid_utf8(value)) continue;
    const std::string what = fmt::format("key '{}' or its value is not valid UTF-8", short_text(key));
    throw Error(ErrorCode::InvalidHeader, subject_prefix(kMetadataKey).append(what),
                std::string(kMetadataKey));
  }
}

}  // namespace

std::uint64_t alignment_of(std::uint64_t data_begin) noexcept {
  return std::clamp(data_begin & (~data_begin + 1), kLeastAlignment, kMostAlignment);
}

void append_metadata(std::string& out, const Metadata& metadata) {
  check_metadata(metadata);
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

std::uint64_t padded_header_size(std::uint64_t least, std::uint64_t alignment) {
  const std::uint64_t most = kHeaderStart + kLargestHeader;
  const std::uint64_t size = least > most ? least : (least + alignment - 1) / alignment * alignment;
  if (size <= most) return size;
  throw Error(ErrorCode::HeaderTooLarge, fmt::format("the header would take {} bytes, the format allows {}",
                                                     size - kHeaderStart, kLargestHeader));
}

}  // namespace weighbridge
