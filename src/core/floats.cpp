#include "core/floats.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/endian.hpp"
#include "base/half.hpp"

namespace weighbridge {
namespace {

constexpr std::size_t kBlock = 2048;
constexpr std::uint32_t kMagnitude = 0x7FFFFFFF;
constexpr std::uint32_t kInfinity = 0x7F800000;

/// What the highest codes of a small type mean.
enum class Specials : std::uint8_t {
  Ieee,    ///< All ones in the exponent: infinity and NaN.
  OneNan,  ///< All ones: NaN, in both signs; no infinity.
  Fnuz,    ///< The code of negative zero: NaN; no infinity.
  None,
};

struct SmallType {
  int exponent_bits = 0;
  int fraction_bits = 0;
  int bias = 0;
  Specials specials = Specials::Ieee;
};

constexpr SmallType kE4M3{4, 3, 7, Specials::OneNan};
constexpr SmallType kE5M2{5, 2, 15, Specials::Ieee};
constexpr SmallType kE4M3Fnuz{4, 3, 8, Specials::Fnuz};
constexpr SmallType kE5M2Fnuz{5, 2, 16, Specials::Fnuz};
constexpr SmallType kE2M1{2, 1, 1, Specials::None};

constexpr float power_of_two(int exponent) {
  float value = 1;
  for (; exponent > 0; --exponent) value *= 2;
  for (; exponent < 0; ++exponent) value /= 2;
  return value;
}

constexpr bool is_nan(const SmallType& type, unsigned code, unsigned sign_bit) {
  const unsigned magnitude = code & (sign_bit - 1);
  switch (type.specials) {
    case Specials::Ieee:
      return magnitude > ((1U << type.exponent_bits) - 1U) << type.fraction_bits;
    case Specials::OneNan:
      return magnitude == sign_bit - 1;
    case Specials::Fnuz:
      return code == sign_bit;
    case Specials::None:
      break;
  }
  return false;
}

constexpr float decode_small(const SmallType& type, unsigned code) {
  const unsigned sign_bit = 1U << (type.exponent_bits + type.fraction_bits);
  if (is_nan(type, code, sign_bit)) return std::numeric_limits<float>::quiet_NaN();
  const unsigned exponents = (1U << type.exponent_bits) - 1U;
  const unsigned exponent = (code >> type.fraction_bits) & exponents;
  const unsigned fraction = code & ((1U << type.fraction_bits) - 1U);
  const unsigned hidden = exponent == 0 ? 0U : 1U << type.fraction_bits;
  float value = static_cast<float>(fraction + hidden) *
                power_of_two(static_cast<int>(std::max(exponent, 1U)) - type.bias - type.fraction_bits);
  if (type.specials == Specials::Ieee && exponent == exponents)
    value = std::numeric_limits<float>::infinity();
  return (code & sign_bit) != 0 ? -value : value;
}

using Table = std::array<float, 256>;

constexpr Table table_of(const SmallType& type) {
  Table table{};
  const unsigned codes = 2U << (type.exponent_bits + type.fraction_bits);
  for (unsigned code = 0; code < codes; ++code) table[code] = decode_small(type, code);
  return table;
}

/// An exponent alone: powers of two, and NaN.
constexpr Table table_of_scales() {
  Table table{};
  for (int code = 0; code < 255; ++code) table[static_cast<std::size_t>(code)] = power_of_two(code - 127);
  table[255] = std::numeric_limits<float>::quiet_NaN();
  return table;
}

constexpr Table kTableE4M3 = table_of(kE4M3);
constexpr Table kTableE5M2 = table_of(kE5M2);
constexpr Table kTableE4M3Fnuz = table_of(kE4M3Fnuz);
constexpr Table kTableE5M2Fnuz = table_of(kE5M2Fnuz);
constexpr Table kTableE2M1 = table_of(kE2M1);
constexpr Table kTableE8M0 = table_of_scales();

const Table* find_table(DType dtype) noexcept {
  switch (dtype) {
    case DType::F8_E4M3:
      return &kTableE4M3;
    case DType::F8_E5M2:
      return &kTableE5M2;
    case DType::F8_E4M3FNUZ:
      return &kTableE4M3Fnuz;
    case DType::F8_E5M2FNUZ:
      return &kTableE5M2Fnuz;
    case DType::F8_E8M0:
      return &kTableE8M0;
    default:
      return nullptr;
  }
}

void decode_pairs(std::span<const std::byte> in, std::span<float> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned byte = std::to_integer<unsigned>(in[i / 2]);
    out[i] = kTableE2M1[(byte >> (i % 2 * 4)) & 0xFU];
  }
}

template <class T, class Function>
void decode_each(std::span<const std::byte> in, std::span<float> out, Function decode) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = decode(load_le<T>(in.data() + i * sizeof(T)));
}

/// The nearest float; the largest one for what is larger, which is too large for every smaller type as well.
float nearest_float(double value) noexcept {
  const auto nearest = static_cast<float>(value);
  if (!std::isinf(nearest) || std::isinf(value)) return nearest;
  return std::copysign(std::numeric_limits<float>::max(), nearest);
}

void decode_doubles(std::span<const std::byte> in, std::span<float> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = nearest_float(std::bit_cast<double>(load_le<std::uint64_t>(in.data() + i * 8)));
  }
}

/// Where magnitudes begin that are too large, as the bits of a float, and whether infinity is one of them.
struct Bounds {
  std::uint32_t least = 0;
  std::uint32_t most = 0;
};

constexpr Bounds kBoundsF16{0x477FF000, kInfinity - 1};
constexpr Bounds kBoundsBf16{0x7F7F8000, kInfinity - 1};
constexpr Bounds kBoundsE4M3{0x43E80001, kInfinity};
constexpr Bounds kBoundsE5M2{0x47700000, kInfinity - 1};

std::uint64_t count_too_large(std::span<const float> in, Bounds bounds) noexcept {
  std::uint64_t count = 0;
  for (const float value : in) {
    const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(value) & kMagnitude;
    count += magnitude >= bounds.least && magnitude <= bounds.most ? 1U : 0U;
  }
  return count;
}

/// `Least` as in Bounds, `Largest` the code of what is too large, `Nan` that of NaN.
template <class T, int Fraction, int Bias, std::uint32_t Least, std::uint32_t Largest, std::uint32_t Nan>
T encode_small(float value) noexcept {
  constexpr int kShift = 23 - Fraction;
  constexpr std::uint32_t kLeastNormal = static_cast<std::uint32_t>(127 + 1 - Bias) << 23;
  constexpr float kAligner = power_of_two(23 + 1 - Bias - Fraction);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & kMagnitude;
  const std::uint32_t sign = (bits >> 31) << (8 * sizeof(T) - 1);
  // Below the least normal number, adding aligns the fraction and rounds it.
  const std::uint32_t tiny = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + kAligner) -
                             std::bit_cast<std::uint32_t>(kAligner);
  const std::uint32_t rounded = magnitude + ((1U << (kShift - 1)) - 1U) + ((magnitude >> kShift) & 1U);
  const std::uint32_t normal = (rounded >> kShift) - (static_cast<std::uint32_t>(127 - Bias) << Fraction);
  std::uint32_t code = magnitude < kLeastNormal ? tiny : normal;
  code = magnitude >= Least ? Largest : code;
  code = magnitude > kInfinity ? Nan : code;
  return static_cast<T>(sign | code);
}

template <class T, class Function>
void encode_each(std::span<const float> in, std::span<std::byte> out, Function encode) noexcept {
  for (std::size_t i = 0; i < in.size(); ++i) store_le(out.data() + i * sizeof(T), encode(in[i]));
}

std::uint64_t encode_floats(DType dtype, std::span<const float> in, std::span<std::byte> out) noexcept {
  switch (dtype) {
    case DType::F16:
      encode_each<std::uint16_t>(in, out,
                                 encode_small<std::uint16_t, 10, 15, kBoundsF16.least, 0x7C00, 0x7E00>);
      return count_too_large(in, kBoundsF16);
    case DType::BF16:
      encode_each<std::uint16_t>(in, out, float_to_bfloat16);
      return count_too_large(in, kBoundsBf16);
    case DType::F8_E4M3:
      encode_each<std::uint8_t>(in, out, encode_small<std::uint8_t, 3, 7, kBoundsE4M3.least, 0x7E, 0x7F>);
      return count_too_large(in, kBoundsE4M3);
    case DType::F8_E5M2:
      encode_each<std::uint8_t>(in, out, encode_small<std::uint8_t, 2, 15, kBoundsE5M2.least, 0x7C, 0x7E>);
      return count_too_large(in, kBoundsE5M2);
    case DType::F64:
      for (std::size_t i = 0; i < in.size(); ++i) {
        store_le(out.data() + i * 8, std::bit_cast<std::uint64_t>(static_cast<double>(in[i])));
      }
      return 0;
    default:
      encode_each<std::uint32_t>(in, out, [](float value) { return std::bit_cast<std::uint32_t>(value); });
      return 0;
  }
}

std::uint64_t cast_doubles_to_floats(std::span<const std::byte> in, std::span<std::byte> out) noexcept {
  std::uint64_t too_large = 0;
  for (std::size_t i = 0; i < out.size() / 4; ++i) {
    const auto value = std::bit_cast<double>(load_le<std::uint64_t>(in.data() + i * 8));
    const auto rounded = static_cast<float>(value);
    too_large += std::isinf(rounded) && !std::isinf(value) ? 1U : 0U;
    store_le(out.data() + i * 4, std::bit_cast<std::uint32_t>(rounded));
  }
  return too_large;
}

}  // namespace

bool is_real_float(DType dtype) noexcept {
  return find_table(dtype) != nullptr || dtype == DType::F4 || dtype == DType::F16 || dtype == DType::BF16 ||
         dtype == DType::F32 || dtype == DType::F64;
}

bool is_cast_target(DType dtype) noexcept {
  constexpr std::array kTargets = {DType::F64,  DType::F32,     DType::F16,
                                   DType::BF16, DType::F8_E4M3, DType::F8_E5M2};
  return std::ranges::find(kTargets, dtype) != kTargets.end();
}

void decode_floats(DType dtype, std::span<const std::byte> in, std::span<float> out) noexcept {
  if (const Table* table = find_table(dtype)) {
    decode_each<std::uint8_t>(in, out, [table](std::uint8_t code) { return (*table)[code]; });
  } else if (dtype == DType::F4) {
    decode_pairs(in, out);
  } else if (dtype == DType::F16) {
    decode_each<std::uint16_t>(in, out, half_to_float);
  } else if (dtype == DType::BF16) {
    decode_each<std::uint16_t>(in, out, bfloat16_to_float);
  } else {
    decode_each<std::uint32_t>(in, out, [](std::uint32_t bits) { return std::bit_cast<float>(bits); });
  }
}

std::uint64_t cast_floats(DType from, std::span<const std::byte> in, DType to,
                          std::span<std::byte> out) noexcept {
  if (from == DType::F64 && to == DType::F32) return cast_doubles_to_floats(in, out);
  const std::size_t count = out.size() * 8 / bit_width(to);
  std::array<float, kBlock> numbers{};
  std::uint64_t too_large = 0;
  for (std::size_t done = 0; done < count;) {
    const auto block = std::span(numbers).first(std::min(kBlock, count - done));
    const auto from_here = in.subspan(done * bit_width(from) / 8);
    from == DType::F64 ? decode_doubles(from_here, block) : decode_floats(from, from_here, block);
    too_large += encode_floats(to, block, out.subspan(done * bit_width(to) / 8));
    done += block.size();
  }
  return too_large;
}

}  // namespace weighbridge
