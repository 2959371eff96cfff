#include "core/header_sort.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory_resource>
#include <numeric>
#include <tuple>
#include <vector>

namespace weighbridge {
namespace {

constexpr unsigned kDigitBits = 11;
constexpr std::uint64_t kDigitMask = (1U << kDigitBits) - 1;

using Records = std::pmr::vector<TensorRecord>;
using Order = std::vector<std::uint32_t>;
using Offset = std::uint64_t TensorRecord::*;

// One turn of a radix sort: puts `order` in order of one digit of `offset`, and leaves ties as they are.
void sort_by_digit(const Records& records, Order& order, Order& scratch, Offset offset, unsigned shift) {
  const auto digit_of = [&](std::uint32_t i) { return (records[i].*offset >> shift) & kDigitMask; };
  std::array<std::uint32_t, kDigitMask + 2> starts{};
  for (const std::uint32_t i : order) ++starts[digit_of(i) + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  for (const std::uint32_t i : order) scratch[starts[digit_of(i)]++] = i;
  order.swap(scratch);
}

// Digits in which all offsets agree are skipped.
void sort_by(const Records& records, Order& order, Order& scratch, Offset offset) {
  std::uint64_t differing = 0;
  for (const TensorRecord& record : records) differing |= record.*offset ^ records.front().*offset;
  for (unsigned shift = 0; shift < 64; shift += kDigitBits) {
    if ((differing >> shift & kDigitMask) != 0) sort_by_digit(records, order, scratch, offset, shift);
  }
}

// Moves records[order[i]] to i for every i, along the cycles of `order`, which is used up.
void arrange(Records& records, Order& order) {
  for (std::uint32_t first = 0; first < order.size(); ++first) {
    const TensorRecord saved = records[first];
    std::uint32_t to = first;
    for (std::uint32_t from = order[to]; from != first; from = order[to]) {
      records[to] = records[from];
      order[to] = to;
      to = from;
    }
    records[to] = saved;
    order[to] = to;
  }
}

// The offset that counts least comes first. Ties keep their order.
void sort_records(Records& records, std::initializer_list<Offset> offsets) {
  Order order(records.size());
  std::iota(order.begin(), order.end(), 0U);
  Order scratch(order.size());
  for (const Offset offset : offsets) sort_by(records, order, scratch, offset);
  arrange(records, order);
}

bool are_sorted(const Records& records) {
  return std::ranges::is_sorted(
      records, {}, [](const TensorRecord& tensor) { return std::tuple(tensor.begin, tensor.end); });
}

}  // namespace

void sort_tensors(Header::Data& data) {
  if (are_sorted(data.tensors)) return;
  sort_records(data.tensors, {&TensorRecord::begin});
  if (are_sorted(data.tensors)) return;  // in a sound file only tensors without bytes share their begin
  sort_records(data.tensors, {&TensorRecord::end, &TensorRecord::begin});
}

}  // namespace weighbridge
