#include <weighbridge/tensor.hpp>

#include <gtest/gtest.h>

#include "core/header_dsl.hpp"

namespace weighbridge {
namespace {

ErrorCode size_error(DType dtype, const Shape& shape) {
  const auto error = test::error_of([&] { byte_size(dtype, shape); });
  return error ? error->code() : ErrorCode::Cancelled;
}

TEST(Tensor, SizesFollowDtypeAndShape) {
  EXPECT_EQ(byte_size(DType::F32, Shape{}), 4U);
  EXPECT_EQ(byte_size(DType::F32, Shape{2, 3}), 24U);
  EXPECT_EQ(byte_size(DType::C64, Shape{5}), 40U);
  EXPECT_EQ(byte_size(DType::F4, Shape{3, 2}), 3U);
  EXPECT_EQ(byte_size(DType::F6_E2M3, Shape{4}), 3U);
  EXPECT_EQ(byte_size(DType::U8, Shape{7, 0}), 0U);
}

TEST(Tensor, MultipliesFromLeftToRight) {
  EXPECT_EQ(size_error(DType::F32, {UINT64_MAX, 2, 0}), ErrorCode::ValidationOverflow);
  EXPECT_EQ(byte_size(DType::F32, Shape{0, UINT64_MAX, 2}), 0U);
  EXPECT_EQ(size_error(DType::U8, {std::uint64_t{1} << 61}), ErrorCode::ValidationOverflow);
  EXPECT_EQ(byte_size(DType::U8, Shape{(std::uint64_t{1} << 61) - 1}), (std::uint64_t{1} << 61) - 1);
}

TEST(Tensor, RefusesPartsOfBytes) {
  EXPECT_EQ(size_error(DType::F4, {3}), ErrorCode::MisalignedSlice);
  EXPECT_EQ(size_error(DType::F6_E3M2, {2}), ErrorCode::MisalignedSlice);
  EXPECT_EQ(size_error(DType::F4, {}), ErrorCode::MisalignedSlice);
}

TEST(Tensor, ShapesAreWrittenAsLists) {
  EXPECT_EQ(shape_text(Shape{}), "[]");
  EXPECT_EQ(shape_text(Shape{2, 0, 3}), "[2, 0, 3]");
}

}  // namespace
}  // namespace weighbridge
