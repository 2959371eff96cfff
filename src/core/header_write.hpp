// Parts of a header's text that are written in more than one place.
#pragma once

#include <cstdint>
#include <string>

#include <weighbridge/header.hpp>

namespace weighbridge {

/// What HeaderStyle::alignment may be.
inline constexpr std::uint64_t kLeastAlignment = 8;
inline constexpr std::uint64_t kMostAlignment = 4096;

/// The largest of the alignments that HeaderStyle allows which the data section starts at a multiple of.
std::uint64_t alignment_of(std::uint64_t data_begin) noexcept;

/// Appends `"__metadata__":{...}`. Throws InvalidHeader for text that is not UTF-8.
void append_metadata(std::string& out, const Metadata& metadata);

/// The size, 8 bytes of length included, of a header that needs `least` bytes and ends at a multiple
/// of `alignment`. Throws HeaderTooLarge.
std::uint64_t padded_header_size(std::uint64_t least, std::uint64_t alignment);

}  // namespace weighbridge
