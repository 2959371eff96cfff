// The extra area behind a zip header: a list of fields, each with an id and a size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace weighbridge::zip {

constexpr std::uint16_t kZip64Extra = 0x0001;
constexpr std::uint16_t kUnicodePathExtra = 0x7075;

/// The content of the field `id` in the extra area of `entry`, whose header stands at
/// `header_offset`. Throws MalformedArchive when a field leaves the area or when `id` occurs twice.
/// Up to three bytes behind the last field are padding.
[[nodiscard]] std::optional<std::span<const std::byte>> find_extra(std::span<const std::byte> extra,
                                                                   std::uint16_t id, std::string_view entry,
                                                                   std::uint64_t header_offset);

}  // namespace weighbridge::zip
