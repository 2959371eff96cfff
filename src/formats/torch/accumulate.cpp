#include "formats/torch/accumulate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "base/endian.hpp"
#include "base/half.hpp"

namespace weighbridge::torch {
namespace {

/// `Bits` is the integer that carries a number, `add` works on two such integers.
template <typename Bits, Bits (*add)(Bits, Bits)>
void accumulate(std::span<std::byte> out, std::span<const std::byte> in) {
  for (std::size_t i = 0; i < out.size(); i += sizeof(Bits)) {
    store_le(out.data() + i, add(load_le<Bits>(out.data() + i), load_le<Bits>(in.data() + i)));
  }
}

template <typename T>
T add_integers(T a, T b) {
  return static_cast<T>(a + b);
}

std::uint8_t add_booleans(std::uint8_t a, std::uint8_t b) { return a != 0 || b != 0 ? 1 : 0; }

std::uint32_t add_floats(std::uint32_t a, std::uint32_t b) {
  return std::bit_cast<std::uint32_t>(std::bit_cast<float>(a) + std::bit_cast<float>(b));
}

std::uint64_t add_doubles(std::uint64_t a, std::uint64_t b) {
  return std::bit_cast<std::uint64_t>(std::bit_cast<double>(a) + std::bit_cast<double>(b));
}

std::uint16_t add_halves(std::uint16_t a, std::uint16_t b) {
  return float_to_half(half_to_float(a) + half_to_float(b));
}

std::uint16_t add_bfloats(std::uint16_t a, std::uint16_t b) {
  return float_to_bfloat16(bfloat16_to_float(a) + bfloat16_to_float(b));
}

struct Row {
  std::string_view type;
  Accumulate function;
};

constexpr std::array kRows = {
    Row{"float64", accumulate<std::uint64_t, add_doubles>},
    Row{"float32", accumulate<std::uint32_t, add_floats>},
    Row{"float16", accumulate<std::uint16_t, add_halves>},
    Row{"bfloat16", accumulate<std::uint16_t, add_bfloats>},
    Row{"complex32", accumulate<std::uint16_t, add_halves>},
    Row{"complex64", accumulate<std::uint32_t, add_floats>},
    Row{"complex128", accumulate<std::uint64_t, add_doubles>},
    Row{"int64", accumulate<std::uint64_t, add_integers<std::uint64_t>>},
    Row{"int32", accumulate<std::uint32_t, add_integers<std::uint32_t>>},
    Row{"int16", accumulate<std::uint16_t, add_integers<std::uint16_t>>},
    Row{"int8", accumulate<std::uint8_t, add_integers<std::uint8_t>>},
    Row{"uint8", accumulate<std::uint8_t, add_integers<std::uint8_t>>},
    Row{"uint16", accumulate<std::uint16_t, add_integers<std::uint16_t>>},
    Row{"uint32", accumulate<std::uint32_t, add_integers<std::uint32_t>>},
    Row{"uint64", accumulate<std::uint64_t, add_integers<std::uint64_t>>},
    Row{"bool", accumulate<std::uint8_t, add_booleans>},
};

}  // namespace

Accumulate find_accumulate(const ElementType& type) noexcept {
  const auto found = std::ranges::find(kRows, type.name, &Row::type);
  return found == kRows.end() ? nullptr : found->function;
}

}  // namespace weighbridge::torch
