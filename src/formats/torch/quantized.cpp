#include "formats/torch/quantized.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "formats/torch/dequantize.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/plain.hpp"

namespace weighbridge::torch {
namespace {

/// More channels than this may not repeat the bytes of their storage.
constexpr std::uint64_t kFewChannels = std::uint64_t{1} << 20;

bool is_quantized_type(const ElementType& type) {
  return type.name.starts_with("qint") || type.name.starts_with("quint");
}

/// Geometry counts integers, the storage bytes: packed tensors are one run of bytes.
Operand packed_operand(const Subject& subject, const Storage& storage, const Geometry& geometry) {
  if (geometry.offset != 0 || !is_contiguous(geometry)) {
    refuse_kind(subject, fmt::format("{} tensors that are views of others", storage.type->name));
  }
  const std::uint64_t per_byte = integers_per_byte(*storage.type);
  const std::uint64_t integers = count_of(subject, geometry.shape);
  const std::uint64_t bytes = integers / per_byte + (integers % per_byte != 0 ? 1 : 0);
  return view_of(subject, storage, *storage.type, {.offset = 0, .shape = {bytes}, .strides = {1}});
}

/// The stored integers, and the logical shape.
struct Integers {
  Operand operand;
  Shape shape;
};

Integers parse_integers(const Subject& subject, const QuantizedNodes& nodes) {
  const Storage& storage = get_storage(subject, nodes.storage);
  if (!is_quantized_type(*storage.type)) {
    refuse(subject, fmt::format("a quantized tensor over a storage of {}", storage.type->name));
  }
  const Geometry geometry = parse_geometry(subject.graph(), nodes.offset, nodes.size, nodes.stride,
                                           subject.name, subject.options.limits);
  if (integers_per_byte(*storage.type) > 1)
    return {packed_operand(subject, storage, geometry), geometry.shape};
  return {view_of(subject, storage, *storage.type, geometry), geometry.shape};
}

double parse_real(const Subject& subject, NodeId node, std::string_view what) {
  const Graph& graph = subject.graph();
  if (kind_of(graph, node) == Kind::Float) return graph.real(node);
  if (const auto integer = find_integer(graph, node)) return static_cast<double>(*integer);
  refuse(subject, fmt::format("{} is not a number", what));
}

std::int64_t parse_zero_point(const Subject& subject, NodeId node) {
  if (const auto integer = find_integer(subject.graph(), node)) return *integer;
  refuse(subject, "its zero point is not an integer");
}

/// A number of the pickle as a tensor. Tensors that are tied have one such source in common.
Operand scalar_operand(const Subject& subject, const Integers& integers, std::string_view type,
                       std::uint64_t bits) {
  Operand operand;
  operand.type = find_element_type(type);
  const auto key = fmt::format("{} {:x} of {}", type, bits, Content(integers.operand).identity());
  operand.data.source = subject.document.computed->find_or_make(key, [&] {
    std::vector<std::byte> bytes(8);
    store_le(bytes.data(), bits);
    // Held beside the integers: the key names their source by its address.
    struct Held {
      std::vector<std::byte> bytes;
      SourcePtr source;
    };
    const auto held = std::make_shared<const Held>(Held{std::move(bytes), integers.operand.data.source});
    return memory_source(Buffer(held->bytes, held));
  });
  operand.storage_bytes = 8;
  return operand;
}

/// Old files hold the scales and zero points of channels as lists.
Operand list_operand(const Subject& subject, std::span<const NodeId> items, std::string_view type,
                     std::string_view what) {
  std::vector<std::byte> bytes;
  const ElementType& element = *find_element_type(type);
  bytes.resize(items.size() * element.bytes);
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::byte* at = bytes.data() + i * element.bytes;
    if (type == "int64") {
      store_le(at, parse_zero_point(subject, items[i]));
    } else if (type == "float32") {
      store_le(at, std::bit_cast<std::uint32_t>(static_cast<float>(parse_real(subject, items[i], what))));
    } else {
      store_le(at, std::bit_cast<std::uint64_t>(parse_real(subject, items[i], what)));
    }
  }
  Operand operand;
  operand.type = &element;
  operand.shape = {items.size()};
  operand.storage_bytes = bytes.size();
  operand.data.source = memory_source(Buffer::take(std::move(bytes)));
  return operand;
}

Operand channel_operand(const Subject& subject, NodeId node, std::string_view list_type,
                        std::string_view what) {
  if (const auto items = find_sequence(subject.graph(), node))
    return list_operand(subject, *items, list_type, what);
  const Operand operand = resolved(subject, parse_operand(subject, node, what));
  if (operand.elements() > std::max(kFewChannels, operand.storage_bytes)) {
    refuse(subject, ErrorCode::LimitExceeded,
           fmt::format("{} {} from {} bytes", operand.elements(), what, operand.storage_bytes));
  }
  return operand;
}

Quantization parse_per_tensor(const Subject& subject, const QuantizedNodes& nodes, const Integers& integers) {
  const double scale = parse_real(subject, nodes.scale, "its scale");
  const std::int64_t zero = parse_zero_point(subject, nodes.zero_point);
  return {.scale = scalar_operand(subject, integers, "float64", std::bit_cast<std::uint64_t>(scale)),
          .zero_point = scalar_operand(subject, integers, "int64", static_cast<std::uint64_t>(zero)),
          .channels = 1,
          .inner = 1};
}

Quantization parse_per_channel(const Subject& subject, const QuantizedNodes& nodes,
                               const Integers& integers) {
  const std::uint64_t axis = parse_count(subject, nodes.axis, "its axis");
  if (axis >= integers.shape.size()) {
    refuse(subject, fmt::format("axis {} of a tensor of shape {}", axis, shape_text(integers.shape)));
  }
  const bool floats = nodes.scheme == "per_channel_affine_float_qparams";
  Quantization found{
      .scale = channel_operand(subject, nodes.scale, floats ? "float32" : "float64", "scales"),
      .zero_point = channel_operand(subject, nodes.zero_point, floats ? "float32" : "int64", "zero points"),
      .channels = integers.shape[axis],
      .inner = count_of(subject, std::span(integers.shape).subspan(axis + 1))};
  if (found.scale.elements() != found.channels || found.zero_point.elements() != found.channels) {
    refuse(subject, fmt::format("{} scales and {} zero points for {} channels", found.scale.elements(),
                                found.zero_point.elements(), found.channels));
  }
  return found;
}

void append(std::vector<TensorEntry>& entries, const Subject& subject, std::string_view suffix,
            const Operand& operand) {
  const Subject named{subject.document, subject.options, subject.name + std::string(suffix)};
  for (TensorEntry& entry : entries_of(named, operand)) entries.push_back(std::move(entry));
}

std::string_view scheme_of(const Graph& graph, NodeId node) {
  if (kind_of(graph, node) != Kind::Global || graph.module(node) != "torch") return {};
  const std::string_view name = graph.name(node);
  if (name == "per_tensor_affine" || name == "per_tensor_symmetric") return "per_tensor_affine";
  if (name == "per_channel_affine" || name == "per_channel_symmetric") return "per_channel_affine";
  return name == "per_channel_affine_float_qparams" ? name : std::string_view{};
}

}  // namespace

std::optional<QuantizedNodes> find_quantized(const pickle::Graph& graph, const Recipe& recipe) {
  const auto arguments = find_sequence(graph, recipe.arguments);
  if (!arguments || arguments->size() < 5) return std::nullopt;
  const auto parameters = find_sequence(graph, (*arguments)[4]);
  if (!parameters || parameters->size() < 3) return std::nullopt;
  QuantizedNodes nodes{.storage = (*arguments)[0],
                       .offset = (*arguments)[1],
                       .size = (*arguments)[2],
                       .stride = (*arguments)[3],
                       .scheme = scheme_of(graph, (*parameters)[0]),
                       .scale = (*parameters)[1],
                       .zero_point = (*parameters)[2],
                       .axis = parameters->size() > 3 ? (*parameters)[3] : kNoNode};
  if (nodes.scheme.empty() || (nodes.scheme == "per_tensor_affine") != (nodes.axis == kNoNode))
    return std::nullopt;
  return nodes;
}

std::uint64_t integers_per_byte(const ElementType& type) noexcept {
  if (type.name == "quint4x2") return 2;
  return type.name == "quint2x4" ? 4 : 1;
}

std::vector<TensorEntry> rebuild_quantized(const Subject& subject, const Recipe& recipe) {
  const auto nodes = find_quantized(subject.graph(), recipe);
  if (!nodes) refuse(subject, "made from arguments that are none of a quantized tensor");
  const Integers integers = parse_integers(subject, *nodes);
  const Quantization found = nodes->axis == kNoNode ? parse_per_tensor(subject, *nodes, integers)
                                                    : parse_per_channel(subject, *nodes, integers);
  if (subject.options.quantized == QuantizedPolicy::Dequantize) {
    return {dequantized(subject, integers.operand, integers.shape, found, nodes->axis != kNoNode)};
  }
  std::vector<TensorEntry> entries;
  append(entries, subject, "", integers.operand);
  append(entries, subject, ".scale", found.scale);
  append(entries, subject, ".zero_point", found.zero_point);
  return entries;
}

}  // namespace weighbridge::torch
