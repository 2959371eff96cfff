// CRC-32C, and the mask that leveldb and TensorFlow put over it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weighbridge::tensorflow {

/// Continues `crc`, 0 for the first bytes.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

/// As it is stored, so that a checksum over bytes that hold one is no special value.
[[nodiscard]] constexpr std::uint32_t mask_crc(std::uint32_t crc) noexcept {
  return (crc >> 15 | crc << 17) + 0xA282EAD8U;
}

}  // namespace weighbridge::tensorflow
