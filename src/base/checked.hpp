// Arithmetic on sizes that come from a file: a result, or nothing when it does not fit.
#pragma once

#include <cstdint>
#include <optional>

namespace weighbridge {

[[nodiscard]] inline std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

[[nodiscard]] inline std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// Whether [offset, offset + length) lies inside [0, size).
[[nodiscard]] inline bool range_fits(std::uint64_t offset, std::uint64_t length,
                                     std::uint64_t size) noexcept {
  return offset <= size && length <= size - offset;
}

}  // namespace weighbridge
