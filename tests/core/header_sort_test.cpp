#include "core/header_sort.hpp"

#include <algorithm>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

namespace weighbridge {
namespace {

// name.at stands for the place in the text.
Header::Data records(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& offsets) {
  Header::Data data;
  for (const auto& [begin, end] : offsets) {
    TensorRecord record;
    record.begin = begin;
    record.end = end;
    record.name.at = static_cast<std::uint32_t>(data.tensors.size());
    data.tensors.push_back(record);
  }
  return data;
}

auto place(const TensorRecord& record) { return std::tuple(record.begin, record.end, record.name.at); }

void expect_sorted(Header::Data data) {
  auto expected = data.tensors;
  std::ranges::sort(expected, {}, place);
  sort_tensors(data);
  EXPECT_TRUE(std::ranges::equal(data.tensors, expected, {}, place, place));
}

TEST(SortTensors, LeavesSortedOnesAlone) {
  expect_sorted(records({}));
  expect_sorted(records({{5, 3}}));
  expect_sorted(records({{0, 0}, {0, 0}, {0, 4}, {4, 4}, {4, 9}}));
}

TEST(SortTensors, OrdersByBeginThenEndThenPlace) {
  expect_sorted(records({{4, 9}, {0, 4}, {4, 4}, {0, 0}, {4, 4}, {0, 0}}));
}

TEST(SortTensors, OrdersOffsetsOfEverySize) {
  constexpr std::uint64_t kMost = UINT64_MAX;
  expect_sorted(
      records({{kMost, 0}, {0, kMost}, {kMost, kMost}, {1, 1}, {std::uint64_t{1} << 55, 2}, {0, 0}}));
  std::mt19937_64 random(7);
  for (unsigned bits = 1; bits < 64; bits += 6) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> offsets;
    for (int i = 0; i < 500; ++i) offsets.emplace_back(random() >> (64 - bits), random() >> (64 - bits));
    expect_sorted(records(offsets));
  }
}

}  // namespace
}  // namespace weighbridge
