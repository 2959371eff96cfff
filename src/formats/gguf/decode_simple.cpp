// Blocks of 32 elements under one scale: low nibbles are elements 0 to 15, high nibbles 16 to 31.
#include "formats/gguf/decode.hpp"
#include "formats/gguf/decode_block.hpp"

namespace weighbridge::gguf {
namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kHalf = kBlock / 2;

inline Integers<kBlock> nibbles(Bytes packed) noexcept {
  Integers<kBlock> q;
  for (std::size_t i = 0; i < kHalf; ++i) {
    q[i] = to_int8(packed[i] & 0xFU);
    q[i + kHalf] = to_int8(packed[i] >> 4U);
  }
  return q;
}

/// A fifth bit for each element, from a word of 32.
inline void add_fifth_bits(std::uint32_t bits, Integers<kBlock>& q) noexcept {
  for (std::size_t i = 0; i < kBlock; ++i) {
    q[i] = static_cast<std::int8_t>(q[i] | to_int8((bits >> i & 1U) << 4U));
  }
}

inline void subtract(std::int8_t offset, Integers<kBlock>& q) noexcept {
  for (auto& value : q) value = static_cast<std::int8_t>(value - offset);
}

/// out = scale * integer + shift.
inline void scale_and_add(float scale, float shift, const Integers<kBlock>& q, float* out) noexcept {
  for (std::size_t i = 0; i < kBlock; ++i) out[i] = scale * static_cast<float>(q[i]) + shift;
}

constexpr Integers<16> kNonlinear = {-127, -104, -83, -65, -49, -35, -22, -10,
                                     1,    13,   25,  38,  53,  69,  89,  113};
/// FP4 (e2m1), doubled.
constexpr Integers<16> kFp4Doubled = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

template <std::size_t Half>
inline void look_up(const Integers<16>& table, float scale, Bytes packed, float* out) noexcept {
  Integers<2 * Half> q;
  for (std::size_t i = 0; i < Half; ++i) {
    q[i] = table[packed[i] & 0xFU];
    q[i + Half] = table[packed[i] >> 4U];
  }
  scale_integers<2 * Half>(scale, q.data(), out);
}

/// Half of 2^(e - 127), since the integers are doubled; 2^-128 and 2^-127 are subnormal.
inline float half_of_power(std::uint8_t e) noexcept {
  return std::bit_cast<float>(e < 2 ? 0x00200000U << e : (e - 1U) << 23U);
}

/// Half of an unsigned E4M3; 0x7F, its NaN, counts as 0.
inline float half_of_e4m3(std::uint8_t byte) noexcept {
  if (byte == 0x7F) return 0;
  const unsigned exponent = byte >> 3U & 0xFU;
  const float fraction = to_float(byte & 7U);
  if (exponent == 0) return fraction * 0x1p-10F;
  return (1.0F + fraction / 8.0F) * std::bit_cast<float>((exponent + 127U - 8U) << 23U);
}

}  // namespace

void decode_q4_0(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<18, kBlock>(blocks, count, out, [](Bytes block, float* to) {
    Integers<kBlock> q = nibbles(block + 2);
    subtract(8, q);
    scale_integers<kBlock>(load_half(block), q.data(), to);
  });
}

void decode_q4_1(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<20, kBlock>(blocks, count, out, [](Bytes block, float* to) {
    scale_and_add(load_half(block), load_half(block + 2), nibbles(block + 4), to);
  });
}

void decode_q5_0(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<22, kBlock>(blocks, count, out, [](Bytes block, float* to) {
    Integers<kBlock> q = nibbles(block + 6);
    add_fifth_bits(load_le<std::uint32_t>(block + 2), q);
    subtract(16, q);
    scale_integers<kBlock>(load_half(block), q.data(), to);
  });
}

void decode_q5_1(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<24, kBlock>(blocks, count, out, [](Bytes block, float* to) {
    Integers<kBlock> q = nibbles(block + 8);
    add_fifth_bits(load_le<std::uint32_t>(block + 4), q);
    scale_and_add(load_half(block), load_half(block + 2), q, to);
  });
}

void decode_q8_0(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<34, kBlock>(blocks, count, out, [](Bytes block, float* to) {
    scale_integers<kBlock>(load_half(block), reinterpret_cast<const std::int8_t*>(block + 2), to);
  });
}

void decode_iq4_nl(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<18, kBlock>(blocks, count, out, [](Bytes block, float* to) {
    look_up<kHalf>(kNonlinear, load_half(block), block + 2, to);
  });
}

void decode_mxfp4(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<17, kBlock>(blocks, count, out, [](Bytes block, float* to) {
    look_up<kHalf>(kFp4Doubled, half_of_power(block[0]), block + 1, to);
  });
}

void decode_nvfp4(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<36, 64>(blocks, count, out, [](Bytes block, float* to) {
    for (std::size_t part = 0; part < 4; ++part) {
      look_up<8>(kFp4Doubled, half_of_e4m3(block[part]), block + 4 + 8 * part, to + 16 * part);
    }
  });
}

void decode_iq4_xs(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<136, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    const float scale = load_half(block);
    const unsigned high = load_le<std::uint16_t>(block + 2);
    for (unsigned part = 0; part < 8; ++part) {
      const unsigned low = block[4 + part / 2] >> (part % 2 * 4U) & 0xFU;
      const int six_bits = static_cast<int>(low | (high >> (2 * part) & 3U) << 4U) - 32;
      look_up<kHalf>(kNonlinear, scale * static_cast<float>(six_bits), block + 8 + kHalf * part,
                     to + kBlock * part);
    }
  });
}

}  // namespace weighbridge::gguf
