// Dequantisation, type by type: the same operations on floats in the same order as the numpy reference of
// the gguf package, so that every result has the same bits.
#pragma once

#include <cstddef>

namespace weighbridge::gguf {

// Each is a Decoder (tensor_type.hpp).
void decode_q4_0(const std::byte* blocks, std::size_t count, float* out);
void decode_q4_1(const std::byte* blocks, std::size_t count, float* out);
void decode_q5_0(const std::byte* blocks, std::size_t count, float* out);
void decode_q5_1(const std::byte* blocks, std::size_t count, float* out);
void decode_q8_0(const std::byte* blocks, std::size_t count, float* out);

void decode_q2_k(const std::byte* blocks, std::size_t count, float* out);
void decode_q3_k(const std::byte* blocks, std::size_t count, float* out);
void decode_q4_k(const std::byte* blocks, std::size_t count, float* out);
void decode_q5_k(const std::byte* blocks, std::size_t count, float* out);
void decode_q6_k(const std::byte* blocks, std::size_t count, float* out);

void decode_tq1_0(const std::byte* blocks, std::size_t count, float* out);
void decode_tq2_0(const std::byte* blocks, std::size_t count, float* out);
void decode_mxfp4(const std::byte* blocks, std::size_t count, float* out);
void decode_nvfp4(const std::byte* blocks, std::size_t count, float* out);

void decode_iq1_s(const std::byte* blocks, std::size_t count, float* out);
void decode_iq1_m(const std::byte* blocks, std::size_t count, float* out);
void decode_iq2_xxs(const std::byte* blocks, std::size_t count, float* out);
void decode_iq2_xs(const std::byte* blocks, std::size_t count, float* out);
void decode_iq2_s(const std::byte* blocks, std::size_t count, float* out);
void decode_iq3_xxs(const std::byte* blocks, std::size_t count, float* out);
void decode_iq3_s(const std::byte* blocks, std::size_t count, float* out);
void decode_iq4_nl(const std::byte* blocks, std::size_t count, float* out);
void decode_iq4_xs(const std::byte* blocks, std::size_t count, float* out);

}  // namespace weighbridge::gguf
