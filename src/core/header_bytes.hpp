// Sixteen characters of a text at a time, and which of them are of some kind: bit i of an answer stands for
// character i.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/endian.hpp"

namespace weighbridge {
namespace detail {

using Bytes = unsigned char __attribute__((vector_size(16)));

/// The highest bit of each byte, on any processor: eight of them are gathered by one multiplication.
[[nodiscard]] inline std::uint32_t high_bits_of_words(Bytes bytes) noexcept {
  constexpr std::uint64_t kLowest = 0x0101010101010101;
  constexpr std::uint64_t kGather = 0x0102040810204080;
  const auto gathered = [&](std::size_t at) {
    std::array<std::byte, sizeof bytes> memory{};
    std::memcpy(memory.data(), &bytes, sizeof bytes);
    return (load_le<std::uint64_t>(memory.data() + at) >> 7 & kLowest) * kGather >> 56;
  };
  return static_cast<std::uint32_t>(gathered(0) | gathered(8) << 8);
}

/// The same in the way that is quickest here.
[[nodiscard]] inline std::uint32_t high_bits(Bytes bytes) noexcept {
#ifdef __SSE2__
  return static_cast<std::uint32_t>(_mm_movemask_epi8(std::bit_cast<__m128i>(bytes)));
#else
  return high_bits_of_words(bytes);
#endif
}

}  // namespace detail

class Bytes16 {
 public:
  static constexpr unsigned kSize = 16;

  /// REQUIRES: 16 bytes at `at`.
  explicit Bytes16(const char* at) noexcept { std::memcpy(&bytes_, at, sizeof bytes_); }

  [[nodiscard]] std::uint32_t equal_to(char c) const noexcept {
    return bits(bytes_ == static_cast<unsigned char>(c));
  }
  [[nodiscard]] std::uint32_t same_as(Bytes16 other) const noexcept { return bits(bytes_ == other.bytes_); }
  /// Quotes, backslashes and control characters: those that do not stand for themselves in a string.
  [[nodiscard]] std::uint32_t special() const noexcept {
    return bits((bytes_ == '"') | (bytes_ == '\\') | (bytes_ < 0x20));
  }
  /// Those, and all that are not ASCII: as signed characters, these are the least.
  [[nodiscard]] std::uint32_t special_or_not_ascii() const noexcept {
    using Signed = signed char __attribute__((vector_size(16)));
    return bits((bytes_ == '"') | (bytes_ == '\\') | (std::bit_cast<Signed>(bytes_) < 0x20));
  }

 private:
  /// Of a comparison, which makes every byte all zeros or all ones.
  template <typename Comparison>
  static std::uint32_t bits(Comparison comparison) noexcept {
    return detail::high_bits(std::bit_cast<detail::Bytes>(comparison));
  }

  detail::Bytes bytes_;
};

}  // namespace weighbridge
