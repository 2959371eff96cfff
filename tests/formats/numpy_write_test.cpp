#include <span>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/numpy/write.hpp"
#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TensorEntry tensor(std::string name, DType dtype, Shape shape, std::string bytes) {
  return {.spec = {.name = std::move(name), .dtype = dtype, .shape = std::move(shape)},
          .data = {.source = source_of(std::move(bytes))}};
}

std::string written(const FilePlan& plan) {
  std::string bytes(plan.total_bytes, '\0');
  write_memory(plan, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

TEST(NpyHead, IsWhatMlxReadsByPosition) {
  const std::string head = numpy::serialize_npy_head(DType::F32, {2, 3});
  EXPECT_THAT(head.substr(10),
              ::testing::StartsWith("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } "));
  EXPECT_EQ(head.size() % 64, 0U);
  EXPECT_EQ(head.back(), '\n');
  for (std::size_t dtype = 0; dtype < kDTypeCount; ++dtype) {
    const std::string_view descr = numpy::find_descr(static_cast<DType>(dtype));
    if (descr.empty()) continue;
    const std::string text = numpy::serialize_npy_head(static_cast<DType>(dtype), {}).substr(10);
    EXPECT_EQ(text.substr(11, 3), descr);
    EXPECT_EQ(text[34], 'F');
  }
}

TEST(NpyHead, WritesShapesAsPythonDoes) {
  EXPECT_THAT(numpy::serialize_npy_head(DType::U8, {}), HasSubstr("'shape': (), }"));
  EXPECT_THAT(numpy::serialize_npy_head(DType::U8, {7}), HasSubstr("'shape': (7,), }"));
  EXPECT_EQ(numpy::serialize_npy_head(DType::U8, Shape(255, 18446744073709551615U)).size() % 64, 0U);
}

TEST(NpzPlan, ReadsBackAsTheSameTensors) {
  const std::vector<TensorEntry> tensors = {tensor("a.w", DType::BF16, {3}, "abcdef"),
                                            tensor("a.W", DType::I64, {}, "12345678"),
                                            tensor("", DType::F32, {0, 2}, "")};
  const Checkpoint back = load(written(numpy::plan_npz(tensors)));
  EXPECT_EQ(back.format, "npz");
  EXPECT_TRUE(back.findings.empty());
  ASSERT_THAT(names_of(back), ElementsAre("a.w", "a.W", ""));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(back.tensors[i].spec, tensors[i].spec);
    EXPECT_EQ(content_of(back.tensors[i]), content_of(tensors[i]));
  }
}

TEST(NpzPlan, StartsEveryArrayAtAMultipleOf64) {
  std::vector<TensorEntry> tensors;
  for (std::size_t i = 1; i < 70; ++i) tensors.push_back(tensor(std::string(i, 'n'), DType::U8, {1}, "x"));
  const FilePlan plan = numpy::plan_npz(tensors);
  int contents = 0;
  for (const CopyStep& step : plan.steps) {
    if (step.runs.total_bytes != 1) continue;
    EXPECT_EQ(step.destination % 64, 0U);
    ++contents;
  }
  EXPECT_EQ(contents, 69);
}

TEST(NpzPlan, RefusesNamesThatDoNotComeBack) {
  for (const std::string& name : {std::string("a\\b"), std::string("a\0b", 3), std::string(65'532, 'n')}) {
    const std::vector<TensorEntry> tensors = {tensor(name, DType::U8, {1}, "x")};
    EXPECT_EQ(error_of([&] { numpy::plan_npz(tensors); }).code(), ErrorCode::Unsupported);
  }
  const std::vector<TensorEntry> twins = {tensor("a", DType::U8, {1}, "x"),
                                          tensor("a.npy", DType::U8, {1}, "x")};
  EXPECT_THAT(error_of([&] { numpy::plan_npz(twins); }).what(),
              HasSubstr("numpy cannot tell it from 'a.npy'"));
}

TEST(NpyPlan, IsOneArray) {
  const Checkpoint back = load(written(numpy::plan_npy(tensor("w", DType::F32, {2, 3}, floats(6)))));
  EXPECT_THAT(names_of(back), ElementsAre("array"));
  EXPECT_EQ(content_of(back.tensors[0]), floats(6));
}

}  // namespace
}  // namespace weighbridge::test
