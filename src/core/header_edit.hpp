// Other metadata in a header that exists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <weighbridge/header.hpp>

namespace weighbridge {

/// The header `bytes` (length, JSON and padding; valid) with `metadata` in the place of its own. All
/// else keeps its text. The size stays the same where the spaces of the header allow it and `slack` of
/// them are left; otherwise the data section keeps its alignment. Spaces stay behind the metadata, where
/// the next edit can use them without moving what follows.
/// Throws HeaderTooLarge, InvalidHeader (text that is not UTF-8).
std::string header_with_metadata(std::span<const std::byte> bytes, const Metadata& metadata,
                                 std::uint64_t slack);

/// Where in the header `bytes` (valid) spaces are kept for later edits: behind the metadata, or behind the
/// JSON when there are none.
std::uint64_t room_in_header(std::span<const std::byte> bytes);

}  // namespace weighbridge
