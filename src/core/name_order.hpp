// The order of names, of which there may be hundreds of thousands that begin alike.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/header_data.hpp"

namespace weighbridge {

/// Positions in order of the names, compared byte by byte.
struct NameOrder {
  std::pmr::vector<std::uint32_t> positions;
  /// The position of a name that another one equals; the order is then not complete.
  std::optional<std::uint32_t> twice = std::nullopt;
};

/// Takes time in proportion to the bytes of all names, times the logarithm of their number at most.
/// REQUIRES: less than 2^32 names.
NameOrder order_names(std::span<const std::string_view> names);

/// The same for the names of tensors; the positions lie in the memory of the tensors.
NameOrder order_names(const Header::Data& data);

}  // namespace weighbridge
