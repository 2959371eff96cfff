// What must hold between the parts of a header: keys occur once, tensors tile the data section.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/header_data.hpp"
#include "core/header_report.hpp"

namespace weighbridge {

/// Puts the metadata in order of key; reports DuplicateKey.
void sort_metadata(Header::Data& data, HeaderReport& report);

/// How many bytes a tensor of that dtype and shape needs; nothing when that is no whole number or its bits do
/// not fit 64 bits.
[[nodiscard]] std::optional<std::uint64_t> byte_count(DType dtype,
                                                      std::span<const std::uint64_t> shape) noexcept;

/// Whether the tensors, in the order that they are in, tile the data section, as those of most files do.
/// Then they are sorted too, and check_layout would find nothing.
[[nodiscard]] bool tensors_tile(const Header::Data& data) noexcept;

/// Reports every tensor that leaves a hole, overlaps, or whose offsets do not hold what its dtype
/// and shape need; and a data section that the tensors do not cover exactly.
/// REQUIRES: sorted tensors, data_bytes set.
void check_layout(const Header::Data& data, HeaderReport& report);

}  // namespace weighbridge
