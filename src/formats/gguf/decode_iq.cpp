// The IQ types of 1 to 3 bits: groups of 4 or 8 elements are points of a codebook, with signs beside them.
#include <bit>

#include "formats/gguf/decode.hpp"
#include "formats/gguf/decode_block.hpp"
#include "formats/gguf/grids.hpp"
#include "formats/gguf/grids_ternary.hpp"

namespace weighbridge::gguf {
namespace {

/// Points of four coordinates, or of eight, as their bytes.
template <std::size_t Dimensions, std::size_t Points, class Word, std::size_t Levels>
constexpr std::array<Word, Points> unpack(const std::array<std::uint16_t, Points>& packed,
                                          const std::array<std::uint8_t, Levels>& levels) {
  constexpr unsigned kBits = 16 / Dimensions;
  std::array<Word, Points> grid{};
  for (std::size_t point = 0; point < Points; ++point) {
    for (std::size_t i = 0; i < Dimensions; ++i) {
      const Word level = levels[packed[point] >> (kBits * i) & ((1U << kBits) - 1U)];
      grid[point] |= level << (8 * i);
    }
  }
  return grid;
}

template <class Word = std::uint64_t, std::size_t Points, std::size_t Levels>
constexpr auto unpack(const std::array<std::uint16_t, Points>& packed,
                      const std::array<std::uint8_t, Levels>& levels) {
  return unpack<sizeof(Word), Points, Word>(packed, levels);
}

constexpr std::array<std::uint8_t, 3> kTernary = {0xFF, 0, 1};
constexpr std::array<std::uint8_t, 3> kThreeLevels = {8, 25, 43};
constexpr std::array<std::uint8_t, 8> kEightLevels = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr std::array<std::uint8_t, 8> kOddLevels = {1, 3, 5, 7, 9, 11, 13, 15};

constexpr auto kIq1 = unpack(kPackedIq1, kTernary);
constexpr auto kIq2Xxs = unpack(kPackedIq2Xxs, kThreeLevels);
constexpr auto kIq2Xs = unpack(kPackedIq2Xs, kThreeLevels);
constexpr auto kIq2S = unpack(kPackedIq2S, kThreeLevels);
constexpr auto kIq3Xxs = unpack<std::uint32_t>(kPackedIq3Xxs, kEightLevels);
constexpr auto kIq3S = unpack<std::uint32_t>(kPackedIq3S, kOddLevels);

/// For eight bits eight bytes: 0xFF where the bit is set.
constexpr std::array<std::uint64_t, 256> make_masks() {
  std::array<std::uint64_t, 256> masks{};
  for (std::size_t bits = 0; bits < masks.size(); ++bits) {
    for (std::size_t i = 0; i < 8; ++i) {
      if ((bits >> i & 1U) != 0) masks[bits] |= std::uint64_t{0xFF} << (8 * i);
    }
  }
  return masks;
}

constexpr auto kMasks = make_masks();

/// Signs of eight elements from seven bits: their number is even, which gives the eighth.
inline unsigned complete_signs(unsigned seven) noexcept {
  return seven | (static_cast<unsigned>(std::popcount(seven)) & 1U) << 7U;
}

/// out = scale * ±level: the bytes, which are positive, are negated where there is a sign.
inline void put_signed(float scale, std::uint64_t levels, unsigned signs, float* to) noexcept {
  const std::uint64_t mask = kMasks[signs];
  Integers<8> q;
  store_le(q.data(), (levels ^ mask) + (mask & 0x0101010101010101U));
  scale_integers<8>(scale, q.data(), to);
}

/// Two points of four coordinates are eight elements.
inline std::uint64_t join(std::uint32_t first, std::uint32_t second) noexcept {
  return first | std::uint64_t{second} << 32U;
}

inline float half_step(float scale, unsigned steps, float factor) noexcept {
  return scale * (0.5F + to_float(steps)) * factor;
}

/// out = scale * (level + delta).
inline void put_shifted(float scale, float delta, std::uint64_t levels, float* to) noexcept {
  Integers<8> q;
  store_le(q.data(), levels);
  for (std::size_t i = 0; i < 8; ++i) to[i] = scale * (static_cast<float>(q[i]) + delta);
}

constexpr float kDelta = 0.125F;

}  // namespace

void decode_iq2_xxs(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<66, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    const float d = load_half(block);
    for (std::size_t part = 0; part < 8; ++part) {
      const Bytes points = block + 2 + 8 * part;
      const auto word = load_le<std::uint32_t>(points + 4);
      const float scale = half_step(d, word >> 28U, 0.25F);
      for (unsigned i = 0; i < 4; ++i) {
        put_signed(scale, kIq2Xxs[points[i]], complete_signs(word >> (7 * i) & 0x7FU),
                   to + 32 * part + std::size_t{8} * i);
      }
    }
  });
}

void decode_iq2_xs(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<74, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    const float d = load_half(block);
    for (std::size_t i = 0; i < 32; ++i) {
      const unsigned word = load_le<std::uint16_t>(block + 2 + 2 * i);
      const float scale = half_step(d, block[66 + i / 4] >> (i / 2 % 2 * 4) & 0xFU, 0.25F);
      put_signed(scale, kIq2Xs[word & 511U], complete_signs(word >> 9U), to + 8 * i);
    }
  });
}

void decode_iq2_s(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<82, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    const float d = load_half(block);
    for (std::size_t i = 0; i < 32; ++i) {
      const unsigned point = block[2 + i] | (block[66 + i / 4] >> (i % 4 * 2) & 3U) << 8U;
      const float scale = half_step(d, block[74 + i / 4] >> (i / 2 % 2 * 4) & 0xFU, 0.25F);
      put_signed(scale, kIq2S[point], block[34 + i], to + 8 * i);
    }
  });
}

void decode_iq3_xxs(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<98, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    const float d = load_half(block);
    for (std::size_t part = 0; part < 8; ++part) {
      const Bytes points = block + 2 + 8 * part;
      const auto word = load_le<std::uint32_t>(block + 66 + 4 * part);
      const float scale = half_step(d, word >> 28U, 0.5F);
      for (unsigned i = 0; i < 4; ++i) {
        put_signed(scale, join(kIq3Xxs[points[2 * i]], kIq3Xxs[points[2 * i + 1]]),
                   complete_signs(word >> (7 * i) & 0x7FU), to + 32 * part + std::size_t{8} * i);
      }
    }
  });
}

void decode_iq3_s(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<110, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    const float d = load_half(block);
    const auto point = [block](std::size_t i) {
      return kIq3S[block[2 + i] | (block[66 + i / 8] >> (i % 8) & 1U) << 8U];
    };
    for (std::size_t i = 0; i < 32; ++i) {
      const unsigned steps = block[106 + i / 8] >> (i / 4 % 2 * 4) & 0xFU;
      put_signed(d * to_float(1 + 2 * steps), join(point(2 * i), point(2 * i + 1)), block[74 + i],
                 to + 8 * i);
    }
  });
}

void decode_iq1_s(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<50, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    const float d = load_half(block);
    for (std::size_t part = 0; part < 8; ++part) {
      const unsigned word = load_le<std::uint16_t>(block + 34 + 2 * part);
      const float scale = d * to_float(2 * (word >> 12U & 7U) + 1);
      const float delta = (word & 0x8000U) == 0 ? kDelta : -kDelta;
      for (std::size_t i = 0; i < 4; ++i) {
        const unsigned point = block[2 + 4 * part + i] | (word >> (3 * i) & 7U) << 8U;
        put_shifted(scale, delta, kIq1[point], to + 32 * part + 8 * i);
      }
    }
  });
}

void decode_iq1_m(const std::byte* blocks, std::size_t count, float* out) {
  decode_blocks<56, kSuperBlock>(blocks, count, out, [](Bytes block, float* to) {
    std::array<unsigned, 4> words{};
    unsigned half = 0;  // the scale's nibbles are on top of the four words
    for (unsigned i = 0; i < 4; ++i) {
      words[i] = load_le<std::uint16_t>(block + 48 + 2 * std::size_t{i});
      half |= words[i] >> 12U << (4 * i);
    }
    const float d = half_to_float(static_cast<std::uint16_t>(half));
    for (std::size_t i = 0; i < 32; ++i) {
      const unsigned steps = words[i / 8] >> (i / 2 % 4 * 3) & 7U;
      const unsigned high = block[32 + i / 2] >> (i % 2 * 4) & 0xFU;
      const float delta = (high & 8U) == 0 ? kDelta : -kDelta;
      put_shifted(d * to_float(2 * steps + 1), delta, kIq1[block[i] | (high & 7U) << 8U], to + 8 * i);
    }
  });
}

}  // namespace weighbridge::gguf
