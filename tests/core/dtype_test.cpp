#include <map>
#include <string>

#include <weighbridge/dtype.hpp>

#include <gtest/gtest.h>

namespace weighbridge {
namespace {

TEST(DType, HasTheFormatsNamesAndWidths) {
  const std::map<std::string_view, std::uint32_t> widths = {
      {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
      {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
      {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
      {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64}};
  ASSERT_EQ(widths.size(), kDTypeCount);
  for (const auto& [name, bits] : widths) {
    const auto dtype = find_dtype(name);
    ASSERT_TRUE(dtype) << name;
    EXPECT_EQ(dtype_name(*dtype), name);
    EXPECT_EQ(bit_width(*dtype), bits) << name;
  }
}

TEST(DType, NamesAreExact) {
  for (const char* name : {"", "f32", "F32 ", "F128", "I4", "F8", "BF1", "BOOLEAN"}) {
    EXPECT_FALSE(find_dtype(name)) << name;
  }
}

TEST(DType, OrderIsTheReferencesOfWriting) {
  EXPECT_LT(DType::BOOL, DType::F4);
  EXPECT_LT(DType::F16, DType::BF16);
  EXPECT_LT(DType::BF16, DType::I32);
  EXPECT_LT(DType::F32, DType::C64);
  EXPECT_LT(DType::C64, DType::F64);
  EXPECT_LT(DType::I64, DType::U64);
}

}  // namespace
}  // namespace weighbridge
