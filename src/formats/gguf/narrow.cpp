#include "formats/gguf/narrow.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/endian.hpp"

namespace weighbridge::gguf {
namespace {

// The two functions of base/half.hpp as selections without a branch, so that loops become vectors.

std::uint16_t half_of(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  const std::uint32_t normal = (magnitude - 0x38000000U + 0xFFFU + (magnitude >> 13 & 1U)) >> 13;
  const std::uint32_t tiny =
      std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3F000000U;
  const std::uint32_t nan = 0x7E00U | (magnitude >> 13 & 0x1FFU);
  std::uint32_t half = magnitude < 0x38800000U ? tiny : normal;
  half = magnitude >= 0x477FF000U ? 0x7C00U : half;
  half = magnitude > 0x7F800000U ? nan : half;
  return static_cast<std::uint16_t>(sign | half);
}

std::uint16_t bfloat16_of(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16;
  return static_cast<std::uint16_t>((bits & 0x7FFFFFFFU) > 0x7F800000U ? 0x7FC0U : rounded);
}

}  // namespace

void narrow(DType dtype, std::span<const float> values, std::byte* out) noexcept {
  if (dtype == DType::F32) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      store_le(out + 4 * i, std::bit_cast<std::uint32_t>(values[i]));
    }
  } else if (dtype == DType::F16) {
    for (std::size_t i = 0; i < values.size(); ++i) store_le(out + 2 * i, half_of(values[i]));
  } else {
    for (std::size_t i = 0; i < values.size(); ++i) store_le(out + 2 * i, bfloat16_of(values[i]));
  }
}

}  // namespace weighbridge::gguf
