#include "formats/gguf/quantize.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <memory>
#include <vector>

#include <weighbridge/write.hpp>

#include "base/endian.hpp"
#include "base/half.hpp"
#include "formats/computed_source.hpp"

namespace weighbridge::gguf {
namespace {

constexpr std::uint64_t kBlocksAtATime = 1024;

float float_at(DType dtype, const std::byte* at) noexcept {
  if (dtype == DType::F32) return std::bit_cast<float>(load_le<std::uint32_t>(at));
  if (dtype == DType::F64) {
    return static_cast<float>(std::bit_cast<double>(load_le<std::uint64_t>(at)));
  }
  const auto bits = load_le<std::uint16_t>(at);
  return dtype == DType::F16 ? half_to_float(bits) : bfloat16_to_float(bits);
}

/// Halves away from zero; what does not fit 32 bits is 0, as the low byte of a conversion that failed.
std::int8_t round_to_byte(float value) noexcept {
  const float magnitude = std::fabs(value);
  if (!(magnitude < 0x1p31F)) return 0;
  const float floored = std::floor(magnitude);
  const float rounded = floored + std::floor(2 * (magnitude - floored));
  return static_cast<std::int8_t>(static_cast<std::int32_t>(std::copysign(rounded, value)));
}

class QuantizedSource final : public ComputedSource {
 public:
  explicit QuantizedSource(const TensorEntry& entry)
      : ComputedSource(element_count(entry.spec.shape) / kQ8Elements * kQ8Bytes, kQ8Bytes),
        dtype_(entry.spec.dtype),
        data_(entry.data),
        runs_(tensor_runs(entry)) {}

 private:
  void make(std::uint64_t first, std::span<std::byte> out) const override {
    const std::uint64_t width = bit_width(dtype_) / 8;
    const std::uint64_t block = kQ8Elements * width;
    std::vector<std::byte> in(std::min<std::uint64_t>(kBlocksAtATime, out.size() / kQ8Bytes) * block);
    while (!out.empty()) {
      const std::uint64_t count = std::min<std::uint64_t>(kBlocksAtATime, out.size() / kQ8Bytes);
      read_runs(*data_.source, runs_, data_.transform, first * block, std::span(in).first(count * block));
      for (std::uint64_t i = 0; i < count; ++i) {
        std::array<float, kQ8Elements> values{};
        for (std::size_t k = 0; k < kQ8Elements; ++k) {
          values[k] = float_at(dtype_, in.data() + i * block + k * width);
        }
        quantize_q8_0(values, out.data() + i * kQ8Bytes);
      }
      out = out.subspan(count * kQ8Bytes);
      first += count;
    }
  }

  DType dtype_;
  TensorData data_;
  ByteRuns runs_;
};

}  // namespace

void quantize_q8_0(std::span<const float, kQ8Elements> values, std::byte* out) noexcept {
  float greatest = 0;
  for (const float value : values) {
    const float magnitude = std::fabs(value);
    if (magnitude > greatest || std::isnan(magnitude)) greatest = magnitude;
    if (std::isnan(greatest)) break;
  }
  const float scale = greatest / 127;
  const float inverse = scale == 0 ? 0 : 1 / scale;
  store_le(out, float_to_half(scale));
  for (std::size_t i = 0; i < kQ8Elements; ++i) {
    out[2 + i] = static_cast<std::byte>(round_to_byte(values[i] * inverse));
  }
}

bool can_quantize(const TensorSpec& spec) noexcept {
  const bool is_float = spec.dtype == DType::F32 || spec.dtype == DType::F16 || spec.dtype == DType::BF16 ||
                        spec.dtype == DType::F64;
  return is_float && spec.shape.size() >= 2 && spec.shape.back() % kQ8Elements == 0;
}

SourcePtr quantized_source(const TensorEntry& entry) { return std::make_shared<QuantizedSource>(entry); }

}  // namespace weighbridge::gguf
