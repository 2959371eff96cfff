// Other names for tensors in a header that exists.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <weighbridge/edit.hpp>
#include <weighbridge/header.hpp>

namespace weighbridge {

/// Refuses names that the header, once all renames are done at once, could not hold.
/// Throws TensorNotFound, ReservedName, NameCollision, InvalidHeader (a name that is not UTF-8),
/// InvalidArgument (a tensor that is renamed twice).
void check_renames(const Header& header, std::span<const TensorRename> renames);

/// The header `bytes` (length, JSON and padding; of `header`) with other names. All else keeps its text
/// and, as far as there are spaces, its place: a shorter name leaves spaces behind its entry, a longer one
/// takes them from where they are nearest. The size stays the same where they suffice; otherwise the data
/// section keeps its alignment. REQUIRES: renames that were checked. Throws HeaderTooLarge.
std::string rename_in_header(std::span<const std::byte> bytes, std::span<const TensorRename> renames);

}  // namespace weighbridge
