#include "formats/torch/geometry.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/torch/nodes.hpp"

namespace weighbridge::torch {
namespace {

[[noreturn]] void refuse(ErrorCode code, std::string_view tensor, const std::string& what) {
  throw Error(code, fmt::format("tensor '{}': {}", printable(tensor), what), std::string(tensor));
}

std::uint64_t parse_number(const Graph& graph, NodeId node, std::string_view tensor, std::string_view what) {
  const auto number = find_integer(graph, node);
  if (!number) refuse(ErrorCode::MalformedCheckpoint, tensor, fmt::format("{} is not an integer", what));
  if (*number < 0) {
    refuse(ErrorCode::MalformedCheckpoint, tensor, fmt::format("{} is {}, which is negative", what, *number));
  }
  return static_cast<std::uint64_t>(*number);
}

/// A tuple or list, or torch.Size over one.
std::span<const NodeId> parse_dimensions(const Graph& graph, NodeId node, std::string_view tensor,
                                         std::string_view what) {
  if (callable_of(graph, node) == Constructor::TorchSize && arguments_of(graph, node).size() == 1) {
    node = arguments_of(graph, node)[0];
  }
  const auto items = find_sequence(graph, node);
  if (!items) refuse(ErrorCode::MalformedCheckpoint, tensor, fmt::format("its {}s are not a tuple", what));
  return *items;
}

std::vector<std::uint64_t> parse_numbers(const Graph& graph, std::span<const NodeId> nodes,
                                         std::string_view tensor, std::string_view what) {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(nodes.size());
  for (const NodeId node : nodes) numbers.push_back(parse_number(graph, node, tensor, what));
  return numbers;
}

bool is_empty(const Geometry& geometry) noexcept { return std::ranges::count(geometry.shape, 0U) != 0; }

std::uint64_t count_elements(const Geometry& geometry, std::string_view tensor) {
  std::uint64_t count = 1;
  for (const std::uint64_t size : geometry.shape) {
    const auto product = checked_mul(count, size);
    if (!product) {
      refuse(ErrorCode::ValidationOverflow, tensor,
             fmt::format("shape {} has more than 2^64 elements", shape_text(geometry.shape)));
    }
    count = *product;
  }
  return count;
}

/// Position behind the last element, in elements; nothing when it does not fit 64 bits.
std::optional<std::uint64_t> find_end(const Geometry& geometry) noexcept {
  std::optional<std::uint64_t> last = geometry.offset;
  for (std::size_t i = 0; last && i < geometry.shape.size(); ++i) {
    const auto step = checked_mul(geometry.shape[i] - 1, geometry.strides[i]);
    last = step ? checked_add(*last, *step) : std::nullopt;
  }
  return last ? checked_add(*last, 1) : std::nullopt;
}

}  // namespace

Geometry parse_geometry(const pickle::Graph& graph, pickle::NodeId offset, pickle::NodeId sizes,
                        pickle::NodeId strides, std::string_view tensor, const Limits& limits) {
  const auto size_nodes = parse_dimensions(graph, sizes, tensor, "size");
  const auto stride_nodes = parse_dimensions(graph, strides, tensor, "stride");
  if (size_nodes.size() != stride_nodes.size()) {
    refuse(ErrorCode::MalformedCheckpoint, tensor,
           fmt::format("{} sizes and {} strides", size_nodes.size(), stride_nodes.size()));
  }
  if (size_nodes.size() > limits.rank) {
    refuse(ErrorCode::LimitExceeded, tensor,
           fmt::format("{} dimensions, the limit is {}", size_nodes.size(), limits.rank));
  }
  return {.offset = parse_number(graph, offset, tensor, "its storage offset"),
          .shape = parse_numbers(graph, size_nodes, tensor, "a size"),
          .strides = parse_numbers(graph, stride_nodes, tensor, "a stride")};
}

void check_bounds(const Geometry& geometry, std::uint64_t element_bytes, const Storage& storage,
                  std::string_view tensor) {
  const auto elements = count_elements(geometry, tensor);
  if (!checked_mul(elements, element_bytes)) {
    refuse(ErrorCode::ValidationOverflow, tensor,
           fmt::format("shape {} has more than 2^64 bytes", shape_text(geometry.shape)));
  }
  if (is_empty(geometry)) return;
  const auto end = find_end(geometry);
  const auto end_byte = end ? checked_mul(*end, element_bytes) : std::nullopt;
  if (end_byte && *end_byte <= storage.bytes) return;
  refuse(ErrorCode::TensorOutOfBounds, tensor,
         fmt::format("shape {} with strides {} from element {} reaches byte {}, {} has {}",
                     shape_text(geometry.shape), shape_text(geometry.strides), geometry.offset,
                     end_byte ? fmt::to_string(*end_byte) : "2^64 or more", storage.label, storage.bytes));
}

void check_expansion(const Geometry& geometry, std::uint64_t element_bytes, const Storage& storage,
                     std::string_view tensor, const Limits& limits) {
  const std::uint64_t bytes = count_elements(geometry, tensor) * element_bytes;
  const std::uint64_t scaled = checked_mul(storage.bytes, limits.expansion_ratio).value_or(UINT64_MAX);
  const std::uint64_t limit = std::max(scaled, limits.expansion_floor);
  if (bytes <= limit) return;
  refuse(ErrorCode::LimitExceeded, tensor,
         fmt::format("shape {} over {} bytes of {} would be {} bytes, the limit is {}",
                     shape_text(geometry.shape), storage.bytes, storage.label, bytes, limit));
}

bool is_contiguous(const Geometry& geometry) noexcept {
  if (is_empty(geometry)) return true;
  std::uint64_t expected = 1;
  for (std::size_t i = geometry.shape.size(); i-- > 0;) {
    if (geometry.shape[i] == 1) continue;
    if (geometry.strides[i] != expected) return false;
    expected *= geometry.shape[i];
  }
  return true;
}

}  // namespace weighbridge::torch
