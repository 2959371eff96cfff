#include "formats/gguf/tensor_type.hpp"

#include <algorithm>

#include "formats/gguf/decode.hpp"

namespace weighbridge::gguf {
namespace {

constexpr TensorType plain(std::uint32_t id, std::string_view name, DType dtype) {
  return {.id = id, .name = name, .elements = 1, .bytes = bit_width(dtype) / 8, .dtype = dtype};
}

constexpr TensorType blocks(std::uint32_t id, std::string_view name, std::uint32_t elements,
                            std::uint32_t bytes, Decoder decode,
                            std::array<std::uint16_t, 2> halves = {TensorType::kNoHalf,
                                                                   TensorType::kNoHalf}) {
  return {.id = id, .name = name, .elements = elements, .bytes = bytes, .decode = decode, .halves = halves};
}

/// Blocks with numbers whose turned form no tool writes.
constexpr TensorType little(std::uint32_t id, std::string_view name, std::uint32_t elements,
                            std::uint32_t bytes, Decoder decode) {
  TensorType type = blocks(id, name, elements, bytes, decode);
  type.big_endian = BigEndian::Unknown;
  return type;
}

constexpr std::uint16_t kNone = TensorType::kNoHalf;

constexpr std::array kTypes = {
    plain(0, "F32", DType::F32),
    plain(1, "F16", DType::F16),
    blocks(2, "Q4_0", 32, 18, decode_q4_0, {0, kNone}),
    blocks(3, "Q4_1", 32, 20, decode_q4_1, {0, 2}),
    little(6, "Q5_0", 32, 22, decode_q5_0),
    little(7, "Q5_1", 32, 24, decode_q5_1),
    blocks(8, "Q8_0", 32, 34, decode_q8_0, {0, kNone}),
    little(9, "Q8_1", 32, 40, nullptr),
    blocks(10, "Q2_K", 256, 84, decode_q2_k, {80, 82}),
    blocks(11, "Q3_K", 256, 110, decode_q3_k, {108, kNone}),
    blocks(12, "Q4_K", 256, 144, decode_q4_k, {0, 2}),
    blocks(13, "Q5_K", 256, 176, decode_q5_k, {0, 2}),
    blocks(14, "Q6_K", 256, 210, decode_q6_k, {208, kNone}),
    little(15, "Q8_K", 256, 292, nullptr),
    little(16, "IQ2_XXS", 256, 66, decode_iq2_xxs),
    little(17, "IQ2_XS", 256, 74, decode_iq2_xs),
    little(18, "IQ3_XXS", 256, 98, decode_iq3_xxs),
    little(19, "IQ1_S", 256, 50, decode_iq1_s),
    blocks(20, "IQ4_NL", 32, 18, decode_iq4_nl, {0, kNone}),
    little(21, "IQ3_S", 256, 110, decode_iq3_s),
    little(22, "IQ2_S", 256, 82, decode_iq2_s),
    little(23, "IQ4_XS", 256, 136, decode_iq4_xs),
    plain(24, "I8", DType::I8),
    plain(25, "I16", DType::I16),
    plain(26, "I32", DType::I32),
    plain(27, "I64", DType::I64),
    plain(28, "F64", DType::F64),
    little(29, "IQ1_M", 256, 56, decode_iq1_m),
    plain(30, "BF16", DType::BF16),
    blocks(34, "TQ1_0", 256, 54, decode_tq1_0, {52, kNone}),
    blocks(35, "TQ2_0", 256, 66, decode_tq2_0, {64, kNone}),
    blocks(39, "MXFP4", 32, 17, decode_mxfp4),
    blocks(40, "NVFP4", 64, 36, decode_nvfp4),
    blocks(41, "Q1_0", 128, 18, nullptr, {0, kNone}),
    blocks(42, "Q2_0", 64, 18, nullptr, {0, kNone}),
};

struct RemovedType {
  std::uint32_t id;
  std::string_view name;
};

constexpr std::array kRemoved = {
    RemovedType{4, "Q4_2"},        RemovedType{5, "Q4_3"},        RemovedType{31, "Q4_0_4_4"},
    RemovedType{32, "Q4_0_4_8"},   RemovedType{33, "Q4_0_8_8"},   RemovedType{36, "IQ4_NL_4_4"},
    RemovedType{37, "IQ4_NL_4_8"}, RemovedType{38, "IQ4_NL_8_8"},
};

template <class Projection, class Value>
const TensorType* find_by(Projection projection, const Value& value) noexcept {
  const auto found = std::ranges::find(kTypes, value, projection);
  return found == kTypes.end() ? nullptr : &*found;
}

}  // namespace

std::span<const TensorType> tensor_types() noexcept { return kTypes; }

const TensorType* find_tensor_type(std::uint32_t id) noexcept { return find_by(&TensorType::id, id); }

const TensorType* find_tensor_type(std::string_view name) noexcept {
  return find_by(&TensorType::name, name);
}

const TensorType* find_tensor_type(DType dtype) noexcept {
  return find_by(&TensorType::dtype, std::optional(dtype));
}

std::optional<std::string_view> find_removed_type(std::uint32_t id) noexcept {
  const auto found = std::ranges::find(kRemoved, id, &RemovedType::id);
  return found == kRemoved.end() ? std::nullopt : std::optional(found->name);
}

}  // namespace weighbridge::gguf
