#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string zip_of(const py::Value& tensor, std::string content) {
  return zip_checkpoint(py::dict({{py::text("w"), tensor}}), {{"0", std::move(content)}}).bytes();
}

/// Views of six floats.
std::string view(std::int64_t offset, const py::Numbers& sizes, const py::Numbers& strides) {
  return zip_of(py::tensor(py::storage("FloatStorage", "0", 6), offset, sizes, strides), floats(6));
}

ErrorCode code_of_view(std::int64_t offset, const py::Numbers& sizes, const py::Numbers& strides) {
  return error_of([&] { load(view(offset, sizes, strides)); }).code();
}

py::Value rebuild(std::string_view function, const py::Values& arguments) {
  return py::call(py::global("torch._utils", function), arguments);
}

py::Value version_3(std::string_view dtype, const py::Numbers& sizes, const py::Numbers& strides,
                    int storage_bytes) {
  return rebuild("_rebuild_tensor_v3",
                 {py::storage("UntypedStorage", "0", storage_bytes), py::integer(0), py::tuple_of(sizes),
                  py::tuple_of(strides), py::boolean(false), py::dict({}), py::global("torch", dtype)});
}

TEST(TorchTensor, IsAViewOfItsStorage) {
  const Checkpoint checkpoint = load(view(2, {2, 2}, {2, 1}));
  ASSERT_EQ(checkpoint.tensors.size(), 1U);
  const TensorEntry& entry = checkpoint.tensors[0];
  EXPECT_EQ(entry.spec, (TensorSpec{"w", DType::F32, {2, 2}}));
  EXPECT_EQ(entry.data.offset, 8U);
  EXPECT_TRUE(entry.data.strides.empty());
  EXPECT_EQ(content_of(entry), floats(6).substr(8, 16));
}

TEST(TorchTensor, KeepsStridesInBytesWhenItIsNotContiguous) {
  const Checkpoint checkpoint = load(view(0, {3, 2}, {1, 3}));
  const TensorEntry& entry = checkpoint.tensors[0];
  EXPECT_THAT(entry.data.strides, ElementsAre(4U, 12U));
  EXPECT_EQ(content_of(entry).substr(0, 8), floats(1) + floats(4).substr(12));
}

TEST(TorchTensor, IgnoresStridesOfDimensionsOfOneElement) {
  EXPECT_TRUE(load(view(0, {1, 6}, {999, 1})).tensors[0].data.strides.empty());
}

TEST(TorchTensor, MayOverlapItself) {
  EXPECT_EQ(content_of(load(view(0, {3, 2}, {1, 1})).tensors[0]).size(), 24U);
}

TEST(TorchTensor, WithoutElementsMayStartAnywhere) {
  const Checkpoint checkpoint = load(view(100, {0, 3}, {3, 1}));
  EXPECT_EQ(checkpoint.tensors[0].spec.shape, (Shape{0, 3}));
  EXPECT_TRUE(content_of(checkpoint.tensors[0]).empty());
}

TEST(TorchTensor, OfNoDimensionIsOneElement) {
  EXPECT_EQ(content_of(load(view(5, {}, {})).tensors[0]), floats(6).substr(20));
}

TEST(TorchTensor, OutsideItsStorageIsRefused) {
  EXPECT_EQ(code_of_view(6, {1}, {1}), ErrorCode::TensorOutOfBounds);
  EXPECT_EQ(code_of_view(0, {7}, {1}), ErrorCode::TensorOutOfBounds);
  EXPECT_EQ(code_of_view(0, {2, 2}, {5, 2}), ErrorCode::TensorOutOfBounds);
  EXPECT_EQ(code_of_view(0, {3}, {std::int64_t{1} << 62}), ErrorCode::TensorOutOfBounds);
}

TEST(TorchTensor, OutsideItsStorageIsNamedWithWhatItNeeds) {
  const Error error = error_of([] { load(view(2, {5}, {1})); });
  EXPECT_EQ(error.subject(), "w");
  EXPECT_STREQ(error.what(),
               "tensor 'w': shape [5] with strides [1] from element 2 reaches byte 28, storage '0' has 24");
}

TEST(TorchTensor, WithNegativeNumbersIsRefused) {
  EXPECT_EQ(code_of_view(-1, {1}, {1}), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(code_of_view(0, {-1}, {1}), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(code_of_view(0, {1}, {-1}), ErrorCode::MalformedCheckpoint);
}

TEST(TorchTensor, WithSizesAndStridesOfDifferentNumberIsRefused) {
  EXPECT_EQ(code_of_view(0, {2, 3}, {1}), ErrorCode::MalformedCheckpoint);
}

TEST(TorchTensor, WithMoreElementsThanFit64BitsIsRefused) {
  EXPECT_EQ(code_of_view(0, {std::int64_t{1} << 40, std::int64_t{1} << 40}, {0, 0}),
            ErrorCode::ValidationOverflow);
  EXPECT_EQ(code_of_view(0, {std::int64_t{1} << 62}, {0}), ErrorCode::ValidationOverflow);
}

TEST(TorchTensor, ExpandedBeyondTheBudgetIsRefused) {
  EXPECT_EQ(code_of_view(0, {std::int64_t{1} << 40}, {0}), ErrorCode::LimitExceeded);
  EXPECT_EQ(load(view(0, {1000, 6}, {0, 1})).tensors[0].spec.shape, (Shape{1000, 6}));
}

TEST(TorchTensor, OfMoreDimensionsThanTheLimitIsRefused) {
  EXPECT_EQ(code_of_view(0, py::Numbers(256, 1), py::Numbers(256, 1)), ErrorCode::LimitExceeded);
}

TEST(TorchTensor, OfVersion3TakesItsTypeApartFromItsStorage) {
  const Checkpoint checkpoint = load(zip_of(version_3("uint16", {2, 2}, {2, 1}, 8), "abcdefgh"));
  EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"w", DType::U16, {2, 2}}));
  EXPECT_EQ(error_of([] { load(zip_of(version_3("uint32", {3}, {1}, 8), "abcdefgh")); }).code(),
            ErrorCode::TensorOutOfBounds);
}

TEST(TorchTensor, OfPackedFloat4DoublesItsLastDimension) {
  const Checkpoint checkpoint = load(zip_of(version_3("float4_e2m1fn_x2", {2, 3}, {3, 1}, 6), "abcdef"));
  EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"w", DType::F4, {2, 6}}));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), "abcdef");
}

TEST(TorchTensor, OfPackedFloat4IsGatheredWhenItIsNotContiguous) {
  const Checkpoint checkpoint = load(zip_of(version_3("float4_e2m1fn_x2", {3, 2}, {1, 3}, 6), "abcdef"));
  EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"w", DType::F4, {3, 4}}));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), "adbecf");
}

TEST(TorchTensor, OfBooleansIsNormalised) {
  const auto file = zip_of(py::tensor(py::storage("BoolStorage", "0", 2), 0, {2}, {1}), "\x01\xFF");
  EXPECT_EQ(load(file).tensors[0].data.transform, Transform::Booleans);
}

TEST(TorchTensor, IsFoundUnderParametersAndSubclasses) {
  const py::Value inner = py::one_float();
  const py::Value parameter = rebuild("_rebuild_parameter", {inner, py::boolean(true), py::dict({})});
  const py::Value subclass = py::call(
      py::global("torch._tensor", "_rebuild_from_type_v2"),
      {py::global("torch._utils", "_rebuild_parameter"), py::global("my.module", "Special"),
       py::tuple({inner, py::boolean(true), py::dict({})}), py::dict({{py::text("tag"), py::text("x")}})});
  for (const py::Value& value : {parameter, subclass}) {
    EXPECT_THAT(names_of(load(zip_of(value, floats(1)))), ElementsAre("w"));
  }
}

TEST(TorchTensor, IsNeverMadeByAFunctionOutsideTheTable) {
  const py::Value value = py::call(
      py::global("torch._tensor", "_rebuild_from_type_v2"),
      {py::global("os", "system"), py::global("torch", "Tensor"), py::tuple({py::text("true")}), py::none()});
  const Checkpoint checkpoint = load(zip_of(value, floats(1)));
  EXPECT_TRUE(checkpoint.tensors.empty());
  EXPECT_THAT(codes_of(checkpoint), ::testing::Contains("DangerousGlobal"));
}

TEST(TorchTensor, FromBefore02TakesItsViewFromItsState) {
  const py::Value state = py::tuple(
      {py::storage("FloatStorage", "0", 6), py::integer(2), py::tuple_of({2, 2}), py::tuple_of({2, 1})});
  const py::Value value = py::build(py::call(py::global("torch", "FloatTensor"), {}), state);
  EXPECT_EQ(content_of(load(zip_of(value, floats(6))).tensors[0]), floats(6).substr(8));
}

TEST(TorchTensor, WithoutDataIsNamed) {
  const auto message = [](const py::Value& value) {
    return std::string(error_of([&] { load(zip_of(value, std::string(16, 'x'))); }).what());
  };
  EXPECT_EQ(message(rebuild("_rebuild_device_tensor_from_numpy", {py::none(), py::global("torch", "half")})),
            "not yet supported: device tensors saved as neither a plain tensor nor an array of numbers "
            "(tensor 'w')");
  EXPECT_THAT(message(py::call(py::global("torch.jit._pickle", "build_tensor_from_id"), {py::integer(0)})),
              HasSubstr("'w': it refers to a table of tensors"));
}

TEST(TorchTensor, OutsideTheChosenSubTreeDoesNotMatter) {
  const py::Value sparse = rebuild("_rebuild_sparse_tensor", {py::none(), py::none()});
  const py::Value root = py::dict({{py::text("other"), py::dict({{py::text("s"), sparse}})},
                                   {py::text("state_dict"), py::dict({{py::text("w"), py::one_float()}})}});
  EXPECT_THAT(names_of(load(zip_checkpoint(root, {{"0", floats(1)}}), "state_dict")), ElementsAre("w"));
}

TEST(TorchTensor, OverTheSameBytesIsEqualToItsTwin) {
  const py::Value root = py::dict({{py::text("a"), py::one_float()}, {py::text("b"), py::one_float()}});
  const Checkpoint checkpoint = load(zip_checkpoint(root, {{"0", floats(1)}}));
  EXPECT_EQ(checkpoint.tensors[0].data, checkpoint.tensors[1].data);
}

}  // namespace
}  // namespace weighbridge::test
