#include "formats/torch/device.hpp"

#include <bit>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/half.hpp"
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

/// What the tensor was saved as. The place where a reader of numpy arrays is asked.
Operand parse_saved(const Subject& subject, NodeId node) {
  const auto recipe = find_recipe(subject.graph(), node);
  if (recipe && is_strided(*recipe)) return resolved(subject, parse_operand(subject, *recipe));
  refuse_kind(subject, "tensors of devices that were saved as numpy arrays");
}

}  // namespace

std::vector<TensorEntry> rebuild_device_tensor(const Subject& subject, const Recipe& recipe) {
  const auto arguments = find_sequence(subject.graph(), recipe.arguments);
  if (!arguments || arguments->size() < 2) refuse(subject, "a device tensor without data and dtype");
  const Operand saved = parse_saved(subject, (*arguments)[0]);
  return entries_of(subject, cast(subject, saved, get_element_type(subject, (*arguments)[1])));
}

}  // namespace weighbridge::torch
