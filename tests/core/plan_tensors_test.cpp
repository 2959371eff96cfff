#include <array>
#include <cstring>

#include <weighbridge/write.hpp>

#include <gtest/gtest.h>

#include "core/header_dsl.hpp"

namespace weighbridge {
namespace {

constexpr std::array<std::uint16_t, 6> kNumbers = {1, 2, 3, 4, 5, 6};
const std::byte* const kFirst = std::as_bytes(std::span(kNumbers)).data();

/// The data section that the plan describes, fetched step by step.
std::string data_of(const FilePlan& plan) {
  std::string file(plan.total_bytes, '\0');
  for (const CopyStep& step : plan.steps) {
    const auto out = std::as_writable_bytes(std::span(file)).subspan(step.destination, step.runs.total_bytes);
    read_runs(*step.source, step.runs, step.transform, 0, out);
  }
  return file.substr(plan.head.size());
}

std::string numbers(std::initializer_list<std::uint16_t> values) {
  std::string text;
  for (const std::uint16_t value : values) text.append(reinterpret_cast<const char*>(&value), sizeof value);
  return text;
}

TEST(PlanTensors, TakesContiguousTensorsAsTheyLie) {
  const Shape shape = {2, 3};
  const Shape empty = {0};
  const std::vector<BorrowedTensor> tensors = {
      {.name = "b", .dtype = DType::I16, .shape = shape, .first = kFirst},
      {.name = "none", .dtype = DType::I16, .shape = empty},
      {.name = "a", .dtype = DType::I16, .shape = shape, .first = kFirst}};
  const FilePlan plan = plan_tensors(tensors, Metadata{{"k", "v"}});
  EXPECT_EQ(plan.steps.size(), 2U);
  EXPECT_EQ(plan.steps[0].name, "a");
  EXPECT_EQ(data_of(plan), numbers({1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}));
  const Header header = parse_header(test::bytes_of(plan.head), plan.total_bytes);
  EXPECT_EQ(header.size(), 3U);
  EXPECT_EQ(header.metadata(), (Metadata{{"k", "v"}}));
}

TEST(PlanTensors, PutsElementsInRowMajorOrder) {
  const Shape shape = {3, 2};
  const Shape transposed = {2, 6};
  const std::vector<BorrowedTensor> tensors = {
      {.name = "t", .dtype = DType::I16, .shape = shape, .first = kFirst, .strides = transposed}};
  EXPECT_EQ(data_of(plan_tensors(tensors)), numbers({1, 4, 2, 5, 3, 6}));
}

TEST(PlanTensors, RepeatsElementsThatAreBroadcast) {
  const Shape shape = {2, 3};
  const Shape strides = {0, 2};
  const std::vector<BorrowedTensor> tensors = {
      {.name = "t", .dtype = DType::I16, .shape = shape, .first = kFirst, .strides = strides}};
  EXPECT_EQ(data_of(plan_tensors(tensors)), numbers({1, 2, 3, 1, 2, 3}));
}

TEST(PlanTensors, ReversesBytesOfBigEndianElements) {
  const Shape shape = {2};
  const Shape strides = {4};
  const std::vector<BorrowedTensor> tensors = {{.name = "t",
                                                .dtype = DType::I16,
                                                .shape = shape,
                                                .first = kFirst,
                                                .strides = strides,
                                                .transform = Transform::Swap2}};
  EXPECT_EQ(data_of(plan_tensors(tensors)), numbers({0x0100, 0x0300}));
}

TEST(PlanTensors, RefusesStridesForAnotherNumberOfDimensions) {
  const Shape shape = {2, 3};
  const Shape strides = {2};
  const std::vector<BorrowedTensor> tensors = {
      {.name = "t", .dtype = DType::I16, .shape = shape, .first = kFirst, .strides = strides}};
  EXPECT_THROW(plan_tensors(tensors), Error);
}

}  // namespace
}  // namespace weighbridge
