#include "core/floats.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/half.hpp"

namespace weighbridge {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

/// One float in another type, as its bits.
unsigned code_of(float value, DType to) {
  std::array<std::byte, 8> out{};
  const std::span<std::byte> bytes = std::span(out).first(bit_width(to) / 8);
  cast_floats(DType::F32, std::as_bytes(std::span(&value, 1)), to, bytes);
  unsigned code = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) code = code << 8 | std::to_integer<unsigned>(bytes[i]);
  return code;
}

std::uint64_t too_large(float value, DType to) {
  std::array<std::byte, 8> out{};
  return cast_floats(DType::F32, std::as_bytes(std::span(&value, 1)), to,
                     std::span(out).first(bit_width(to) / 8));
}

float decoded(DType dtype, unsigned code) {
  std::array<float, 2> out{};
  const std::array<std::byte, 2> in = {std::byte(code & 0xFFU), std::byte(code >> 8)};
  decode_floats(dtype, std::span(in).first(dtype == DType::F4 ? 1 : bit_width(dtype) / 8),
                std::span(out).first(dtype == DType::F4 ? 2 : 1));
  return out[0];
}

TEST(Floats, RoundToNearestAndTiesToEven) {
  EXPECT_EQ(code_of(1.0F, DType::F8_E4M3), 0x38U);
  EXPECT_EQ(code_of(1.0625F, DType::F8_E4M3), 0x38U);  // a tie, the even one below
  EXPECT_EQ(code_of(1.1875F, DType::F8_E4M3), 0x3AU);  // a tie, the even one above
  EXPECT_EQ(code_of(0x1p-10F, DType::F8_E4M3), 0U);    // half of the least
  EXPECT_EQ(code_of(std::nextafter(0x1p-10F, 1.0F), DType::F8_E4M3), 1U);
  EXPECT_EQ(code_of(-0.0F, DType::F8_E5M2), 0x80U);
  EXPECT_EQ(code_of(1.0F + 0x1p-11F, DType::F16), 0x3C00U);
  EXPECT_EQ(code_of(1.0F + 0x3p-11F, DType::F16), 0x3C02U);
}

TEST(Floats, AgreeWithTheHalvesOfTheBase) {
  for (std::uint32_t high = 0; high < 0x10000; ++high) {
    for (const std::uint32_t low : {0x0000U, 0x0FFFU, 0x1000U, 0x1001U, 0x8000U}) {
      const float value = std::bit_cast<float>(high << 16 | low);
      if (std::isnan(value)) continue;
      ASSERT_EQ(code_of(value, DType::F16), float_to_half(value)) << value;
    }
  }
}

TEST(Floats, ThatAreTooLargeBecomeInfiniteOrTheLargestAndAreCounted) {
  EXPECT_EQ(code_of(464, DType::F8_E4M3), 0x7EU);
  EXPECT_EQ(code_of(465, DType::F8_E4M3), 0x7EU);
  EXPECT_EQ(code_of(-kInf, DType::F8_E4M3), 0xFEU);
  EXPECT_EQ(code_of(std::numeric_limits<float>::quiet_NaN(), DType::F8_E4M3), 0x7FU);
  EXPECT_EQ(code_of(61439, DType::F8_E5M2), 0x7BU);
  EXPECT_EQ(code_of(61440, DType::F8_E5M2), 0x7CU);
  EXPECT_EQ(code_of(65520, DType::F16), 0x7C00U);
  EXPECT_EQ(too_large(464, DType::F8_E4M3), 0U);
  EXPECT_EQ(too_large(465, DType::F8_E4M3), 1U);
  EXPECT_EQ(too_large(kInf, DType::F8_E4M3), 1U);
  EXPECT_EQ(too_large(kInf, DType::F16), 0U);
  EXPECT_EQ(too_large(65520, DType::F16), 1U);
  EXPECT_EQ(too_large(std::numeric_limits<float>::max(), DType::BF16), 1U);
  EXPECT_EQ(too_large(std::numeric_limits<float>::quiet_NaN(), DType::F8_E4M3), 0U);
}

TEST(Floats, OfDoublesGoByWayOfFloats) {
  const std::array<double, 3> values = {1e300, 0.1, -std::numeric_limits<double>::infinity()};
  for (const DType to : {DType::F32, DType::F16, DType::BF16, DType::F8_E5M2}) {
    std::array<std::byte, 12> out{};
    const auto bytes = std::span(out).first(3 * bit_width(to) / 8);
    EXPECT_EQ(cast_floats(DType::F64, std::as_bytes(std::span(values)), to, bytes), 1U) << dtype_name(to);
    if (to != DType::F32) continue;
    std::array<float, 3> floats{};
    decode_floats(to, bytes, floats);
    EXPECT_THAT(floats, ::testing::ElementsAre(kInf, 0.1F, -kInf));
  }
}

TEST(Floats, OfEverySmallTypeAreDecoded) {
  EXPECT_EQ(decoded(DType::F8_E4M3, 0x7E), 448.0F);
  EXPECT_EQ(decoded(DType::F8_E4M3, 0x01), 0x1p-9F);
  EXPECT_TRUE(std::isnan(decoded(DType::F8_E4M3, 0xFF)));
  EXPECT_EQ(decoded(DType::F8_E5M2, 0xFC), -kInf);
  EXPECT_EQ(decoded(DType::F8_E4M3FNUZ, 0x7F), 240.0F);
  EXPECT_TRUE(std::isnan(decoded(DType::F8_E4M3FNUZ, 0x80)));
  EXPECT_EQ(decoded(DType::F8_E5M2FNUZ, 0x7F), 57344.0F);
  EXPECT_EQ(decoded(DType::F8_E8M0, 0), 0x1p-127F);
  EXPECT_EQ(decoded(DType::F8_E8M0, 130), 8.0F);
  EXPECT_TRUE(std::isnan(decoded(DType::F8_E8M0, 255)));
  std::vector<float> found;
  for (unsigned code = 0; code < 16; ++code) found.push_back(decoded(DType::F4, code));
  EXPECT_THAT(found, ::testing::ElementsAre(0, .5, 1, 1.5, 2, 3, 4, 6, -0.0, -.5, -1, -1.5, -2, -3, -4, -6));
}

TEST(Floats, KnowWhichTypesTheyCover) {
  EXPECT_FALSE(is_real_float(DType::C64));
  EXPECT_FALSE(is_real_float(DType::F6_E2M3));
  EXPECT_FALSE(is_real_float(DType::I32));
  EXPECT_TRUE(is_real_float(DType::F4));
  EXPECT_FALSE(is_cast_target(DType::F8_E8M0));
  EXPECT_TRUE(is_cast_target(DType::F8_E5M2));
}

}  // namespace
}  // namespace weighbridge
