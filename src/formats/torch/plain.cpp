#include "formats/torch/plain.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/half.hpp"
#include "formats/torch/computed_source.hpp"

namespace weighbridge::torch {
namespace {

/// Bytes between neighbours, also where the elements are contiguous.
std::vector<std::uint64_t> strides_of(const Operand& operand) {
  if (!operand.data.strides.empty() || operand.shape.empty()) return operand.data.strides;
  std::vector<std::uint64_t> strides(operand.shape.size());
  std::uint64_t step = operand.type->bytes;
  for (std::size_t i = strides.size(); i-- > 0;) {
    strides[i] = step;
    step *= operand.shape[i];
  }
  return strides;
}

const ElementType& component_type(const ElementType& type) {
  switch (type.component) {
    case 2:
      return *find_element_type("float16");
    case 4:
      return *find_element_type("float32");
    default:
      return *find_element_type("float64");
  }
}

/// The real (0) or imaginary (1) parts: a view of the same bytes.
Operand part_of(const Operand& complex, unsigned part) {
  Operand component = complex;
  component.type = &component_type(*complex.type);
  component.data.strides = strides_of(complex);
  component.data.offset += part * component.type->bytes;
  component.conj = false;
  component.neg = part == 1 ? complex.conj != complex.neg : complex.neg;
  return component;
}

/// Turns the sign bit of the number at `first` and of every `step`th one behind it.
void flip_signs(std::span<std::byte> numbers, std::uint64_t width, std::uint64_t first, std::uint64_t step) {
  for (std::uint64_t i = first * width; i < numbers.size(); i += step * width) {
    numbers[i + width - 1] ^= std::byte{0x80};
  }
}

template <typename T>
void negate_integers(std::span<std::byte> numbers) {
  for (std::size_t i = 0; i < numbers.size(); i += sizeof(T)) {
    store_le(numbers.data() + i, static_cast<T>(0U - load_le<T>(numbers.data() + i)));
  }
}

bool is_floating(const ElementType& type) {
  return type.name == "float64" || type.name == "float32" || type.name == "float16" ||
         type.name == "bfloat16";
}

bool is_integer(const ElementType& type) {
  constexpr std::array<std::string_view, 5> kNames = {"uint8", "int8", "int16", "int32", "int64"};
  return std::ranges::find(kNames, type.name) != kNames.end();
}

void negate(const ElementType& type, std::span<std::byte> numbers) {
  if (is_floating(type)) return flip_signs(numbers, type.bytes, 0, 1);
  switch (type.bytes) {
    case 1:
      return negate_integers<std::uint8_t>(numbers);
    case 2:
      return negate_integers<std::uint16_t>(numbers);
    case 4:
      return negate_integers<std::uint32_t>(numbers);
    default:
      return negate_integers<std::uint64_t>(numbers);
  }
}

void change_signs(const ElementType& type, bool conj, bool neg, std::span<std::byte> numbers) {
  if (!is_complex(type)) return negate(type, numbers);
  if (neg) flip_signs(numbers, type.component, 0, 2);
  if (conj != neg) flip_signs(numbers, type.component, 1, 2);
}

/// complex32 as complex64: each half becomes the float of the same value.
SourcePtr widened(const Subject& subject, const Operand& operand) {
  const Content content(operand);
  const std::uint64_t bytes = times(subject, content.elements(), 8);
  const auto key = "complex32 to complex64 " + content.identity();
  return subject.document.computed->find_or_make(key, [&] {
    return elementwise_source(
        content, bytes, 8, [](std::uint64_t, std::span<const std::byte> in, std::span<std::byte> out) {
          for (std::size_t i = 0; i < in.size() / 2; ++i) {
            const float number = half_to_float(load_le<std::uint16_t>(in.data() + 2 * i));
            store_le(out.data() + 4 * i, std::bit_cast<std::uint32_t>(number));
          }
        });
  });
}

/// Contiguous bytes, gathered if they lie apart: two 4-bit numbers cannot have a stride of their own.
TensorEntry packed_pairs(const Subject& subject, const Operand& operand) {
  Shape shape = operand.shape;
  if (shape.empty()) shape.push_back(1);
  shape.back() = times(subject, shape.back(), 2);
  if (operand.data.strides.empty()) {
    return {.spec = {.name = subject.name, .dtype = DType::F4, .shape = shape}, .data = operand.data};
  }
  const Content content(operand);
  const auto source = subject.document.computed->find_or_make("gathered " + content.identity(), [&] {
    return elementwise_source(content, content.elements(), 1,
                              [](std::uint64_t, std::span<const std::byte> in, std::span<std::byte> out) {
                                std::ranges::copy(in, out.begin());
                              });
  });
  return computed_entry(subject.name, DType::F4, shape, source);
}

std::vector<TensorEntry> split(const Subject& subject, const Operand& complex) {
  std::vector<TensorEntry> parts;
  for (const unsigned part : {0U, 1U}) {
    const Subject named{subject.document, subject.options, subject.name + (part == 0 ? ".real" : ".imag")};
    for (TensorEntry& entry : entries_of(named, part_of(complex, part))) parts.push_back(std::move(entry));
  }
  return parts;
}

}  // namespace

bool is_complex(const ElementType& type) noexcept { return type.name.starts_with("complex"); }

TensorEntry computed_entry(std::string name, DType dtype, Shape shape, SourcePtr source) {
  TensorEntry entry;
  entry.spec = {.name = std::move(name), .dtype = dtype, .shape = std::move(shape)};
  entry.data.source = std::move(source);
  return entry;
}

Operand resolved(const Subject& subject, Operand operand) {
  const bool conj = operand.conj && is_complex(*operand.type);
  const bool neg = operand.neg;
  operand.conj = operand.neg = false;
  if (!conj && !neg) return operand;
  const ElementType& type = *operand.type;
  if (!is_complex(type) && !is_floating(type) && !is_integer(type)) {
    refuse_kind(subject, fmt::format("the neg flag on {} tensors", type.name));
  }
  const Content content(operand);
  const auto key = fmt::format("signs {} {} {} {}", type.name, conj, neg, content.identity());
  operand.data.source = subject.document.computed->find_or_make(key, [&] {
    return elementwise_source(
        content, operand.bytes(), type.bytes,
        [&type, conj, neg](std::uint64_t, std::span<const std::byte> in, std::span<std::byte> out) {
          std::ranges::copy(in, out.begin());
          change_signs(type, conj, neg, out);
        });
  });
  operand.data.offset = 0;
  operand.data.strides.clear();
  operand.data.transform = Transform::None;
  return operand;
}

std::vector<TensorEntry> entries_of(const Subject& subject, Operand operand) {
  if (is_complex(*operand.type)) {
    if (subject.options.split_complex) return split(subject, operand);
    if (!operand.type->dtype && operand.type->name == "complex128") {
      refuse(subject, ErrorCode::Unsupported,
             "safetensors has no dtype for complex128; it can be split into real and imaginary parts "
             "(--complex split)");
    }
  }
  operand = resolved(subject, std::move(operand));
  if (operand.type->name == "complex32") {
    return {computed_entry(subject.name, DType::C64, operand.shape, widened(subject, operand))};
  }
  if (operand.type->dtype == DType::F4) return {packed_pairs(subject, operand)};
  TensorEntry entry;
  entry.spec = {.name = subject.name, .dtype = *operand.type->dtype, .shape = std::move(operand.shape)};
  entry.data = std::move(operand.data);
  return {std::move(entry)};
}

}  // namespace weighbridge::torch
