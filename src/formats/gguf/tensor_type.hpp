// The element types of GGUF: plain numbers, and blocks of numbers that share scales.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <weighbridge/dtype.hpp>

namespace weighbridge::gguf {

/// Dequantises blocks, little-endian, one behind the other. REQUIRES room for all elements in `out`.
using Decoder = void (*)(const std::byte* blocks, std::size_t count, float* out);

/// What a file of the other byte order has turned around in a block, besides nothing.
enum class BigEndian : std::uint8_t {
  Halves,   ///< The 16-bit numbers at `halves`.
  Unknown,  ///< Nobody has said; such files are refused.
};

struct TensorType {
  std::uint32_t id = 0;  ///< In a file.
  std::string_view name = {};
  std::uint32_t elements = 1;                 ///< Of one block; 1 for plain numbers.
  std::uint32_t bytes = 0;                    ///< Of one block.
  std::optional<DType> dtype = std::nullopt;  ///< The same type in safetensors.
  Decoder decode = nullptr;                   ///< Null: plain numbers, and types that are only ever kept raw.
  BigEndian big_endian = BigEndian::Halves;
  std::array<std::uint16_t, 2> halves = {kNoHalf, kNoHalf};

  static constexpr std::uint16_t kNoHalf = UINT16_MAX;
};

/// In order of their numbers.
[[nodiscard]] std::span<const TensorType> tensor_types() noexcept;

[[nodiscard]] const TensorType* find_tensor_type(std::uint32_t id) noexcept;
[[nodiscard]] const TensorType* find_tensor_type(std::string_view name) noexcept;
/// The plain numbers of that dtype.
[[nodiscard]] const TensorType* find_tensor_type(DType dtype) noexcept;

/// What the number stood for when it was in use, for types that have been taken out of the format.
[[nodiscard]] std::optional<std::string_view> find_removed_type(std::uint32_t id) noexcept;

}  // namespace weighbridge::gguf
