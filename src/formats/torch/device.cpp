#include "formats/torch/device.hpp"

#include <array>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/half.hpp"
#include "formats/torch/arrays.hpp"
#include "formats/torch/computed_source.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/plain.hpp"

namespace weighbridge::torch {
namespace {

template <std::uint16_t (*round)(float)>
void narrow(std::uint64_t, std::span<const std::byte> in, std::span<std::byte> out) {
  for (std::size_t i = 0; i < in.size() / 4; ++i) {
    const float number = std::bit_cast<float>(load_le<std::uint32_t>(in.data() + 4 * i));
    store_le(out.data() + 2 * i, round(number));
  }
}

/// The elements in the dtype that they had on their device.
Operand cast(const Subject& subject, const Operand& from, const ElementType& to) {
  if (from.type == &to) return from;
  const bool half = to.name == "float16";
  if (from.type->name != "float32" || (!half && to.name != "bfloat16")) {
    refuse_kind(subject, fmt::format("{} tensors that were saved as {}", to.name, from.type->name));
  }
  const Content content(from);
  Operand operand;
  operand.type = &to;
  operand.shape = from.shape;
  operand.data.source = subject.document.computed->find_or_make(
      fmt::format("float32 to {} {}", to.name, content.identity()), [&] {
        return elementwise_source(content, from.elements() * 2, 2,
                                  half ? narrow<float_to_half> : narrow<float_to_bfloat16>);
      });
  return operand;
}

/// The type of an array that torch.from_numpy() takes; null for any other.
const ElementType* find_array_type(const numpy::Array& array) {
  if (array.type->structured || array.type->leaves.size() != 1 || array.mask) return nullptr;
  const numpy::ScalarType& type = array.type->leaves.front().type;
  constexpr std::array kKinds = {std::pair{'i', "int"}, std::pair{'u', "uint"}, std::pair{'f', "float"},
                                 std::pair{'c', "complex"}};
  if (type.kind == 'b') return find_element_type("bool");
  for (const auto& [kind, name] : kKinds) {
    if (type.kind == kind) return find_element_type(fmt::format("{}{}", name, 8 * type.bytes));
  }
  return nullptr;
}

std::vector<TensorEntry> from_array(const Subject& subject, NodeId node, const ElementType& to) {
  OpenOptions options = subject.options;
  options.paddle_bf16 = false;
  auto entries = rebuild_array(subject.document, node, subject.name, options);
  const numpy::Array& array = *find_array(subject.document, node);
  const ElementType* from = find_array_type(array);
  if (from == nullptr)
    refuse_kind(subject, fmt::format("device tensors saved as {}", numpy::summary_of(array)));
  if (from == &to) return entries;
  Operand operand;
  operand.type = from;
  operand.shape = std::move(entries.front().spec.shape);
  operand.data = std::move(entries.front().data);
  return entries_of(subject, cast(subject, operand, to));
}

std::vector<TensorEntry> from_tensor(const Subject& subject, NodeId node, const ElementType& to) {
  const auto recipe = find_recipe(subject.graph(), node);
  if (!recipe || !is_strided(*recipe)) {
    refuse_kind(subject, "device tensors saved as neither a plain tensor nor an array of numbers");
  }
  const Operand saved = resolved(subject, parse_operand(subject, *recipe));
  return entries_of(subject, cast(subject, saved, to));
}

}  // namespace

std::vector<TensorEntry> rebuild_device_tensor(const Subject& subject, const Recipe& recipe) {
  const auto arguments = find_sequence(subject.graph(), recipe.arguments);
  if (!arguments || arguments->size() < 2) refuse(subject, "a device tensor without data and dtype");
  const NodeId saved = (*arguments)[0];
  const ElementType& type = get_element_type(subject, (*arguments)[1]);
  return is_array_tensor(subject.document, saved) ? from_array(subject, saved, type)
                                                  : from_tensor(subject, saved, type);
}

}  // namespace weighbridge::torch
