// Names to tensors, without a hash table that hostile names could fill with collisions.
//
// One word a tensor: 32 bits of its name's hash above 32 bits of its position. The words are sorted
// by hash, and by name where hashes are equal. Names that all collide therefore cost a sort of
// strings to build and a binary search to find, never a linear walk.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "core/header_data.hpp"
#include "core/header_report.hpp"

namespace weighbridge {

/// Fills data.name_index; reports DuplicateKey for every name that stands more than once.
void build_name_index(Header::Data& data, HeaderReport& report);

/// Position of the tensor of that name.
[[nodiscard]] std::optional<std::size_t> find_name(const Header::Data& data, std::string_view name) noexcept;

}  // namespace weighbridge
