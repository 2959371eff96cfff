// What the decoders share: reading a block, and a loop over blocks.
//
// Integers are unpacked into a small array first and scaled behind that, in two loops that compilers turn
// into vector instructions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/endian.hpp"
#include "base/half.hpp"

namespace weighbridge::gguf {

inline constexpr std::size_t kSuperBlock = 256;  ///< Elements of a block of the K, IQ and TQ types.

using Bytes = const std::uint8_t*;

/// Integers of one block before they are scaled.
template <std::size_t N>
using Integers = std::array<std::int8_t, N>;

[[nodiscard]] inline float load_half(Bytes at) noexcept { return half_to_float(load_le<std::uint16_t>(at)); }

[[nodiscard]] inline float to_float(unsigned value) noexcept {
  return static_cast<float>(static_cast<int>(value));
}

[[nodiscard]] inline std::int8_t to_int8(unsigned value) noexcept {
  return static_cast<std::int8_t>(static_cast<int>(value));
}

/// `block` takes the bytes of one block and room for its elements.
template <std::size_t BlockBytes, std::size_t Elements, class Block>
void decode_blocks(const std::byte* blocks, std::size_t count, float* out, Block block) {
  auto in = reinterpret_cast<Bytes>(blocks);
  for (std::size_t i = 0; i < count; ++i, in += BlockBytes, out += Elements) block(in, out);
}

/// out = scale * integer.
template <std::size_t N>
inline void scale_integers(float scale, const std::int8_t* integers, float* out) noexcept {
  for (std::size_t i = 0; i < N; ++i) out[i] = scale * static_cast<float>(integers[i]);
}

/// out = scale * integer - minimum.
template <std::size_t N>
inline void scale_and_shift(float scale, float minimum, const std::int8_t* integers, float* out) noexcept {
  for (std::size_t i = 0; i < N; ++i) out[i] = scale * static_cast<float>(integers[i]) - minimum;
}

}  // namespace weighbridge::gguf
