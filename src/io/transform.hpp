// What happens to bytes between a source and an output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::io {

/// Bytes that belong together: 1, 2, 4 or 8.
std::uint64_t transform_width(Transform transform) noexcept;

/// Transforms in place; returns how many booleans changed. REQUIRES: a multiple of the width.
std::uint64_t apply_transform(Transform transform, std::span<std::byte> bytes) noexcept;

}  // namespace weighbridge::io
