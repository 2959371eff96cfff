#include "formats/torch/subject.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/torch/nodes.hpp"

namespace weighbridge::torch {

void refuse(const Subject& subject, ErrorCode code, const std::string& what) {
  throw Error(code, fmt::format("tensor '{}': {}", printable(subject.name), what), subject.name);
}

void refuse(const Subject& subject, const std::string& what) {
  refuse(subject, ErrorCode::MalformedCheckpoint, what);
}

void refuse_kind(const Subject& subject, std::string_view kind) {
  throw Error(ErrorCode::Unsupported,
              fmt::format("not yet supported: {} (tensor '{}')", kind, printable(subject.name)),
              subject.name);
}

std::uint64_t parse_count(const Subject& subject, pickle::NodeId node, std::string_view what) {
  const auto number = find_integer(subject.graph(), node);
  if (!number) refuse(subject, fmt::format("{} is not an integer", what));
  if (*number < 0) refuse(subject, fmt::format("{} is {}, which is negative", what, *number));
  return static_cast<std::uint64_t>(*number);
}

Shape parse_shape(const Subject& subject, pickle::NodeId node, std::string_view what) {
  const Graph& graph = subject.graph();
  if (callable_of(graph, node) == Constructor::TorchSize && arguments_of(graph, node).size() == 1) {
    node = arguments_of(graph, node)[0];
  }
  const auto items = find_sequence(graph, node);
  if (!items) refuse(subject, fmt::format("{} is not a tuple", what));
  const std::uint32_t most = subject.options.limits.rank;
  if (items->size() > most) {
    refuse(subject, ErrorCode::LimitExceeded,
           fmt::format("{} has {} dimensions, the limit is {}", what, items->size(), most));
  }
  Shape shape;
  shape.reserve(items->size());
  for (const NodeId item : *items) shape.push_back(parse_count(subject, item, what));
  return shape;
}

std::uint64_t count_of(const Subject& subject, std::span<const std::uint64_t> sizes) {
  std::uint64_t count = 1;
  for (const std::uint64_t size : sizes) count = times(subject, count, size);
  return count;
}

std::uint64_t times(const Subject& subject, std::uint64_t a, std::uint64_t b) {
  if (const auto product = checked_mul(a, b)) return *product;
  refuse(subject, ErrorCode::ValidationOverflow, fmt::format("{} x {} does not fit 64 bits", a, b));
}

void check_expansion(const Subject& subject, std::span<const std::uint64_t> shape, std::uint64_t bytes,
                     std::uint64_t input_bytes) {
  const Limits& limits = subject.options.limits;
  const std::uint64_t scaled = checked_mul(input_bytes, limits.expansion_ratio).value_or(UINT64_MAX);
  const std::uint64_t limit = std::max(scaled, limits.expansion_floor);
  if (bytes <= limit) return;
  refuse(subject, ErrorCode::LimitExceeded,
         fmt::format("shape {} made from {} bytes would be {} bytes, the limit is {}", shape_text(shape),
                     input_bytes, bytes, limit));
}

}  // namespace weighbridge::torch
