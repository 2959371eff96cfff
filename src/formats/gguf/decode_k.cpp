// The K types: 256 elements, whose groups of 16 or 32 have small scales under one or two large ones. And
// the ternary types, which lay their elements out likewise.
#include "formats/gguf/decode.hpp"
#include "formats/gguf/decode_block.hpp"

namespace weighbridge::gguf {
namespace {

/// Two bits a number: each 32 bytes hold four runs of 32.
inline void unpack_pairs(Bytes packed, Integers<kSuperBlock>& q) noexcept {
  for (std::size_t part = 0; part < 2; ++part) {
    for (unsigned shift = 0; shift < 4; ++shift) {
      std::int8_t* const to = q.data() + 128 * part + 32 * shift;
      for (std::size_t i = 0; i < 32; ++i) to[i] = to_int8(packed[32 * part + i] >> (2 * shift) & 3U);
    }
  }
}

/// Four bits a number: each 32 bytes hold two runs of 32.
inline void unpack_nibbles(Bytes packed, Integers<kSuperBlock>& q) noexcept {
  for (std::size_t part = 0; part < 4; ++part) {
    std::int8_t* const to = q.data() + 64 * part;
    for (std::size_t i = 0; i < 32; ++i) to[i] = to_int8(packed[32 * part + i] & 0xFU);
    for (std::size_t i = 0; i < 32; ++i) to[32 + i] = to_int8(packed[32 * part + i] >> 4U);
  }
}

struct SixBits {
  std::array<unsigned, 8> scales;
  std::array<unsigned, 8> minima;
};

/// 8 scales and 8 minima of 6 bits in 12 bytes: the first four of each have a byte of their own, whose
/// upper two bits complete the nibbles of the last four.
inline SixBits unpack_six_bits(Bytes packed) noexcept {
  SixBits six{};
  for (std::size_t i = 0; i < 4; ++i) {
    six.scales[i] = packed[i] & 0x3FU;
    six.minima[i] = packed[4 + i] & 0x3FU;
    six.scales[4 + i] = (packed[8 + i] & 0xFU) | (packed[i] >> 2U & 0x30U);
    six.minima[4 + i] = (packed[8 + i] >> 4U) | (packed[4 + i] >> 2U & 0x30U);
  }
  return six;
}

/// 16 scales of 6 bits in 12 bytes: nibbles of the first eight, pairs of the last four.
inline int six_bit_scale(Bytes packed, std::size_t i) noexcept {
  const unsigned low = i < 8 ? packed[i] & 0xFU : packed[i - 8] >> 4U;
  const unsigned high = packed[8 + i % 4] >> (2 * (i / 4)) & 3U;
  return static_cast<int>(low | high << 4U) - 32;
}

inline void scale_eight_groups(Bytes block, const Integers<kSuperBlock>& q, float* to) noexcept {
  const float scale = load_half(block);
  const float minimum = load_half(block + 2);
  const SixBits six = unpack_six_bits(block + 4);
  for (std::size_t group = 0; group < 8; ++group) {
    scale_and_shift<32>(scale * to_float(six.scales[group]), minimum * to_float(six.minima[group]),
                        q.data() + 32 * group, to + 32 * group);
  }
}

constexpr std::array<unsigned, 5> kPowersOfThree = {1, 3, 9, 27, 81};

/// Five numbers of base 3 in a byte, as a fraction of 256: multiplied by a power of 3, the next digit is on
/// top.
inline void unpack_ternary(Bytes packed, std::size_t bytes, std::size_t digits, std::int8_t* to) noexcept {
  for (std::size_t digit = 0; digit < digits; ++digit) {
    for (std::size_t i = 0; i < bytes; ++i) {
      const unsigned fraction = packed[i] * kPowersOfThree[digit] & 0xFFU;
      to[digit * bytes + i] = static_cast<std::int8_t>(static_cast<int>(fraction * 3 >> 8U) - 1);
    }
  }
}

}  // namespace

void decode_q2_k(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<84, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    Integers<kSuperBlock> q;
    unpack_pairs(block + 16, q);
    const float scale = load_half(block + 80);
    const float minimum = load_half(block + 82);
    for (std::size_t group = 0; group < 16; ++group) {
      scale_and_shift<16>(scale * to_float(block[group] & 0xFU), minimum * to_float(block[group] >> 4U),
                          q.data() + 16 * group, to + 16 * group);
    }
  });
}

void decode_q3_k(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<110, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    Integers<kSuperBlock> q;
    unpack_pairs(block + 32, q);
    for (unsigned bit = 0; bit < 8; ++bit) {  // where the third bit is not set, 4 less
      for (std::size_t i = 0; i < 32; ++i) {
        const int less = static_cast<int>((block[i] >> bit & 1U) ^ 1U) * 4;
        q[32 * bit + i] = static_cast<std::int8_t>(q[32 * bit + i] - less);
      }
    }
    const float scale = load_half(block + 108);
    for (std::size_t group = 0; group < 16; ++group) {
      scale_integers<16>(scale * static_cast<float>(six_bit_scale(block + 96, group)), q.data() + 16 * group,
                         to + 16 * group);
    }
  });
}

void decode_q4_k(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<144, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    Integers<kSuperBlock> q;
    unpack_nibbles(block + 16, q);
    scale_eight_groups(block, q, to);
  });
}

void decode_q5_k(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<176, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    Integers<kSuperBlock> q;
    unpack_nibbles(block + 48, q);
    for (unsigned bit = 0; bit < 8; ++bit) {
      for (std::size_t i = 0; i < 32; ++i) {
        q[32 * bit + i] =
            static_cast<std::int8_t>(q[32 * bit + i] | to_int8((block[16 + i] >> bit & 1U) << 4U));
      }
    }
    scale_eight_groups(block, q, to);
  });
}

void decode_q6_k(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<210, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    Integers<kSuperBlock> high;
    unpack_pairs(block + 128, high);
    Integers<kSuperBlock> q;
    for (std::size_t part = 0; part < 2; ++part) {
      for (std::size_t i = 0; i < 64; ++i) {
        const unsigned nibbles = block[64 * part + i];
        q[128 * part + i] = to_int8(nibbles & 0xFU);
        q[128 * part + 64 + i] = to_int8(nibbles >> 4U);
      }
    }
    for (std::size_t i = 0; i < kSuperBlock; ++i) {
      q[i] = static_cast<std::int8_t>((q[i] | high[i] << 4) - 32);
    }
    const float scale = load_half(block + 208);
    for (std::size_t group = 0; group < 16; ++group) {
      scale_integers<16>(scale * static_cast<float>(static_cast<std::int8_t>(block[192 + group])),
                         q.data() + 16 * group, to + 16 * group);
    }
  });
}

void decode_tq1_0(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<54, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    Integers<kSuperBlock> q;
    unpack_ternary(block, 32, 5, q.data());
    unpack_ternary(block + 32, 16, 5, q.data() + 160);
    unpack_ternary(block + 48, 4, 4, q.data() + 240);
    scale_integers<kSuperBlock>(load_half(block + 52), q.data(), to);
  });
}

void decode_tq2_0(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<66, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    Integers<kSuperBlock> q;
    unpack_pairs(block, q);
    for (auto& value : q) value = static_cast<std::int8_t>(value - 1);
    scale_integers<kSuperBlock>(load_half(block + 64), q.data(), to);
  });
}

}  // namespace weighbridge::gguf
