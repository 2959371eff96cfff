// Fixed-width integers at any address. Formats are little-endian unless they say otherwise.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace weighbridge {

template <std::integral T>
[[nodiscard]] constexpr T reverse_bytes(T value) noexcept {
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
}

/// REQUIRES: sizeof(T) bytes at `at`.
template <std::integral T>
[[nodiscard]] T load_le(const void* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = reverse_bytes(value);
  return value;
}

template <std::integral T>
[[nodiscard]] T load_be(const void* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = reverse_bytes(value);
  return value;
}

template <std::integral T>
void store_le(void* at, T value) noexcept {
  if constexpr (std::endian::native == std::endian::big) value = reverse_bytes(value);
  std::memcpy(at, &value, sizeof value);
}

}  // namespace weighbridge
